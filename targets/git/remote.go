package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// service is one of the two programs that a git server runs.
type service string

const (
	uploadPack  service = "git-upload-pack"  // reads: we fetch
	receivePack service = "git-receive-pack" // writes: we push
)

// remote is a way to a repository.
type remote interface {
	// dial begins a conversation with a service. Ending ctx ends the conversation.
	dial(ctx context.Context, s service) (conversation, error)
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

// parseURL reads every form of address that git knows.
func parseURL(url string) (*transport.Endpoint, error) {
	if url == "" {
		return nil, errors.New("url is missing (hint: git@github.com:me/me.github.io.git)")
	}
	place, err := transport.NewEndpoint(url)
	if err != nil { // its text repeats the URL with the password
		return nil, errors.New("url is no address that git knows (hint: https://…, ssh://…, user@host:path or a path)")
	}
	if place.Protocol == "file" {
		place.Host = ""
	}
	return place, nil
}

// login is what an http server or an ssh server is told of us.
type login struct{ user, password string }

func (l login) secrets() []string {
	if l.password == "" {
		return nil
	}
	return []string{l.password}
}

// remoteOptions say how a repository is reached.
type remoteOptions struct {
	login      login
	transport  http.RoundTripper // for http; nil for one of our own
	sshKey     string            // file of the private key; "" for the agent's and those in ~/.ssh
	knownHosts string            // file; "" for ~/.ssh/known_hosts and the system's
}

// newRemote returns the way to the repository at a place. It connects to nothing.
func newRemote(place *transport.Endpoint, o remoteOptions) (remote, error) {
	switch place.Protocol {
	case "http", "https":
		return newHTTPRemote(place, o.transport, o.login)
	case "ssh":
		return newSSHRemote(place, o)
	case "file":
		return newLocalRemote(place.Path)
	}
	return nil, fmt.Errorf("url: the protocol %q cannot be pushed to (hint: https, ssh, file or a path)", place.Protocol)
}
