package netname

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DialFunc opens a connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Dial returns a DialFunc that connects by d. A name below localhost is this machine, whatever
// the resolver says of it (RFC 6761, section 6.3): many resolvers do not know such names.
func Dial(d *net.Dialer) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil || !isLocalhost(host) {
			return d.DialContext(ctx, network, address)
		}
		conn, err := d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			return conn, nil
		}
		if conn, errSix := d.DialContext(ctx, network, net.JoinHostPort("::1", port)); errSix == nil {
			return conn, nil
		}
		return nil, err
	}
}

// isLocalhost reports whether a host is a name of this machine.
func isLocalhost(host string) bool { return net.ParseIP(host) == nil && IsLoopback(host) }

// Proxy is http.ProxyFromEnvironment, but never a proxy for a name below localhost.
func Proxy(req *http.Request) (*url.URL, error) {
	if IsLoopback(req.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(req)
}

// Transport returns a copy of http.DefaultTransport that connects by Dial and Proxy.
func Transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = Dial(&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second})
	t.Proxy = Proxy
	return t
}

// Same reports whether two hosts, without ports, have the same name: letter case and a last dot
// make no difference.
func Same(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// WithoutURL returns an error of net/http without the method and the URL that it begins with: the
// caller names the place, and a URL may hold a secret.
func WithoutURL(err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		return inner.Err
	}
	return err
}
