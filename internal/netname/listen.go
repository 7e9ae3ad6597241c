package netname

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"

	"mirror/internal/oserr"
)

// ErrAddress says that a text is no address to listen on.
var ErrAddress = errors.New("is no address to listen on (hint: 127.0.0.1:8080, or :8080 for all addresses of this machine)")

// ListenError says why an address cannot be listened on, and what to do. It wraps ErrAddress if the address
// itself is wrong.
func ListenError(address string, err error) error {
	var unknown *net.DNSError // neither a number nor the name of a port, or no host of this name
	if _, port, wrong := net.SplitHostPort(address); wrong != nil || !isPort(port) || errors.As(err, &unknown) {
		return fmt.Errorf("%q %w", address, ErrAddress)
	}
	switch {
	case oserr.InUse(err):
		return fmt.Errorf("%w (hint: another program listens there: end it, or choose another address)", err)
	case oserr.NoAddress(err):
		return fmt.Errorf("%w (hint: this machine has no such address; :PORT listens on all that it has)", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w (hint: a port below 1024 needs root, CAP_NET_BIND_SERVICE, or a socket of systemd; or choose a port above)", err)
	}
	return err
}

// isPort reports whether a text is the number or the name of a port.
func isPort(text string) bool {
	if n, err := strconv.Atoi(text); err == nil {
		return n >= 0 && n <= 65535
	}
	return text != ""
}
