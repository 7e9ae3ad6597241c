package origin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mirror/internal/netname"
	"mirror/internal/oserr"
)

// dial returns what connects to the origin: at Address, where that is set.
func (o Options) dial() netname.DialFunc {
	dial := netname.Dial(&net.Dialer{Timeout: o.Timeout, KeepAlive: 30 * time.Second})
	if o.Address == "" {
		return dial
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return dial(ctx, network, addressWith(o.Address, port))
	}
}

// Dialer returns a transport for single requests beside those of a Client: it connects as a Client does.
func (e Endpoint) Dialer() *http.Transport {
	return &http.Transport{DialContext: e.dial(), Proxy: e.proxy, TLSHandshakeTimeout: e.Timeout, ResponseHeaderTimeout: e.Timeout}
}

// addressWith returns an address with its own port, else with the given one.
func addressWith(address, port string) string {
	if host, own, err := net.SplitHostPort(address); err == nil {
		return net.JoinHostPort(host, own)
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), port)
}

// proxy returns the proxy of the environment for a request, nil for none.
func (o Options) proxy(req *http.Request) (*url.URL, error) {
	if o.Address != "" {
		return nil, nil
	}
	return netname.Proxy(req)
}

// proxyRefusal is a proxy's answer that it does not connect to the origin.
type proxyRefusal struct {
	proxy  string
	status int
}

// Error tells what the proxy answered.
func (e *proxyRefusal) Error() string { return fmt.Sprintf("the proxy answered %d", e.status) }

// proxyAnswer refuses what is no tunnel.
func proxyAnswer(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyRefusal{proxy.Host, answer.StatusCode}
}

// refusingProxy is the host and port of the proxy that wants a login, "" where the origin was asked.
func (a *attempt) refusingProxy(resp *http.Response) string {
	if resp.StatusCode != http.StatusProxyAuthRequired {
		return ""
	}
	return a.proxyHost()
}

// proxyFault tells what is wrong with the proxy that stands before the origin.
func (a *attempt) proxyFault(err error) (Cause, string) {
	if refused, ok := errors.AsType[*proxyRefusal](err); ok {
		said := fmt.Sprintf("the proxy %s does not connect to the origin, it answered %d", refused.proxy, refused.status)
		if refused.status == http.StatusProxyAuthRequired {
			said += " (hint: it wants a user name and password: http://user:password@host:port)"
		}
		return BadProxy, said
	}
	op, ok := errors.AsType[*net.OpError](err)
	switch {
	case ok && strings.HasPrefix(op.Op, "socks "): // the proxy itself could be reached
		return BadProxy, fmt.Sprintf("the proxy %s does not connect to the origin: %s", a.proxyHost(), printable(op.Err.Error()))
	case !ok || op.Op != "proxyconnect":
		return "", ""
	}
	return BadProxy, fmt.Sprintf("the proxy %s cannot be used: %s (hint: HTTP_PROXY, HTTPS_PROXY and NO_PROXY in the environment say which requests go by it)",
		a.proxyHost(), proxyCause(err))
}

// proxyCause is why a connection to a proxy failed.
func proxyCause(err error) string {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	timeout, isNet := errors.AsType[net.Error](err)
	switch {
	case isDNS && dns.IsNotFound:
		return "no such host"
	case oserr.Refused(err):
		return "nothing listens there"
	case isNet && timeout.Timeout():
		return "the connection was not ready in time"
	}
	return printable(errors.Unwrap(err).Error())
}

// proxyHost is the host and port of the proxy that the request goes by, "" for none.
func (a *attempt) proxyHost() string {
	req, err := http.NewRequest(http.MethodGet, a.client.base, nil)
	if err != nil {
		return ""
	}
	proxy, err := a.client.options.proxy(req)
	if err != nil || proxy == nil {
		return ""
	}
	return proxy.Host
}
