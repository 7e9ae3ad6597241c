package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// silence is how long a server may neither send nor take a byte. One that works on a pushed pack
// says so every few seconds (receive.keepAlive, git-config(1)).
const silence = 2 * time.Minute

// ownTransport is the default one, with bounds for servers that fall silent.
func ownTransport(silence time.Duration) http.RoundTripper {
	rt := http.DefaultTransport.(*http.Transport).Clone()
	rt.TLSHandshakeTimeout = 20 * time.Second
	rt.MaxResponseHeaderBytes = 64 << 10
	dial := (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	rt.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &boundedConn{conn, silence}, nil
	}
	return rt
}

// boundedConn is a connection on which no read and no write waits for longer than silence.
type boundedConn struct {
	net.Conn
	silence time.Duration
}

// Read reads what comes in time.
func (c *boundedConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	return n, c.explain(err)
}

// Write sends what is taken in time.
func (c *boundedConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	return n, c.explain(err)
}

func (c *boundedConn) explain(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the server was silent for %s: %w", c.silence, err)
	}
	return err
}
