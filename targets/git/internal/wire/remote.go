// Package wire speaks git's protocols with a repository: over ssh, over http, and with a git
// program of this machine. A session reads what the repository has and then makes one exchange,
// a fetch or a push. Everything that a server sends is bounded, and every read ends with its
// context.
package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// Service is one of the two programs that a git server runs.
type Service string

// The two services.
const (
	UploadPack  Service = "git-upload-pack"  // reads: we fetch
	ReceivePack Service = "git-receive-pack" // writes: we push
)

// Remote is a way to a repository.
type Remote interface {
	// dial begins a conversation with a service. Ending ctx ends the conversation.
	dial(ctx context.Context, s Service) (conversation, error)
}

// conversation is one run of a service.
type conversation interface {
	// advertisement is what the service says first: refs and capabilities.
	advertisement() io.Reader
	// exchange sends the one request of this conversation and gives the answer.
	exchange(ctx context.Context, req request) (io.ReadCloser, error)
	io.Closer
}

// request is what a conversation sends: a head, and a pack where one is pushed.
type request struct {
	head []byte
	pack io.ReaderAt // nil for none
	size int64       // of the pack
	sent func(n int) // hears of each chunk sent; may be nil
}

func (r request) length() int64 { return int64(len(r.head)) + r.size }

// reader reads the request from its beginning.
func (r request) reader() io.Reader {
	head := io.Reader(strings.NewReader(string(r.head)))
	if r.pack != nil {
		head = io.MultiReader(head, io.NewSectionReader(r.pack, 0, r.size))
	}
	return &countingReader{r: head, sent: r.sent}
}

type countingReader struct {
	r    io.Reader
	sent func(n int)
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.sent != nil && n > 0 {
		c.sent(n)
	}
	return n, err
}

// remoteHelper is an address that git hands to a program: ext::sh -c …
var remoteHelper = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+.-]*::`)

// ParseURL reads every form of address that git knows. The error completes a sentence that begins with
// the address, and quotes nothing of it.
func ParseURL(url string) (*transport.Endpoint, error) {
	if remoteHelper.MatchString(url) {
		return nil, errors.New("names a remote helper, which is not supported (hint: https://…, ssh://…, user@host:path or a path)")
	}
	place, err := transport.NewEndpoint(url)
	if err != nil { // its text repeats the URL with the password
		return nil, errors.New("is not an address that git knows (hint: https://…, ssh://…, user@host:path or a path)")
	}
	switch place.Protocol {
	case "http", "https", "ssh":
	case "file":
		place.Host = ""
	default:
		return nil, errors.New("has a protocol that cannot be pushed to (hint: https, ssh, file or a path)")
	}
	return place, nil
}

// Login is what an http server or an ssh server is told of us.
type Login struct{ User, Password string }

// Secrets are what must never be shown.
func (l Login) Secrets() []string {
	if l.Password == "" {
		return nil
	}
	return []string{l.Password}
}

// Options say how a repository is reached.
type Options struct {
	Login      Login
	Transport  http.RoundTripper // for http; nil for one of our own
	SSHKey     string            // file of the private key; "" for the agent's and those in ~/.ssh
	KnownHosts string            // file; "" for ~/.ssh/known_hosts and the system's
}
