package wire

import (
	"fmt"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// NewRemote returns the way to the repository at a place. It connects to nothing.
func NewRemote(place *transport.Endpoint, o Options) (Remote, error) {
	switch place.Protocol {
	case "http", "https":
		return newHTTPRemote(place, o.Transport, o.Login)
	case "ssh":
		return newSSHRemote(place, o)
	case "file":
		return newLocalRemote(place.Path)
	}
	return nil, fmt.Errorf("url: the protocol %q cannot be pushed to (hint: https, ssh, file or a path)", place.Protocol)
}
