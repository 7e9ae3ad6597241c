// Package wire speaks git's protocols with a repository: over ssh, over http, and with a git
// program of this machine. A session reads what the repository has and then makes one exchange,
// a fetch or a push. Everything that a server sends is bounded, and every read ends with its
// context.
package wire

import (
	"context"
	"io"
	"net/http"
	"strings"

	"mirror/targets/git/internal/gitconfig"
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

// countingReader tells sent how many bytes were read.
type countingReader struct {
	r    io.Reader
	sent func(n int)
}

// Read reports how much was read.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.sent != nil && n > 0 {
		c.sent(n)
	}
	return n, err
}

// Options say how a repository is reached.
type Options struct {
	Token      string            // for http, in place of the URL's password; "" for none
	Transport  http.RoundTripper // for http; nil for one of our own
	SSHKey     string            // file of the private key; "" for the agent's and those of ssh_config
	KnownHosts string            // file; "" for those of ssh_config
	Getenv     func(string) string
	Git        *gitconfig.Config // git's settings; nil for none
	// Secret is told of each password that is found, before it is used. It may be nil.
	Secret func(source, value string)
}
