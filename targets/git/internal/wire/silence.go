package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"mirror/internal/netname"
)

// silence is how long a server may neither send nor take a byte. A git that works on a pushed pack
// sends something every 5 seconds (receive.keepAlive and uploadpack.keepAlive, git-config(1)).
const silence = 30 * time.Second

func silentError(limit time.Duration) error { return fmt.Errorf("the server was silent for %s", limit) }

// ownTransport is the default one, with bounds for servers that fall silent.
func ownTransport(silence time.Duration) *http.Transport {
	rt := netname.Transport()
	rt.TLSHandshakeTimeout = 20 * time.Second
	rt.MaxResponseHeaderBytes = 64 << 10
	dial := netname.Dial(&net.Dialer{Timeout: silence, KeepAlive: 30 * time.Second})
	rt.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &boundedConn{conn, silence}, nil
	}
	return rt
}

// boundedConn is a connection that fails when for longer than silence no byte goes either way.
// net/http reads during the whole of an upload: each byte sent gives the reader more time.
type boundedConn struct {
	net.Conn
	silence time.Duration
}

// Read reads what comes in time.
func (c *boundedConn) Read(p []byte) (int, error) { return c.bounded(c.Conn.Read, p) }

// Write sends what is taken in time.
func (c *boundedConn) Write(p []byte) (int, error) { return c.bounded(c.Conn.Write, p) }

func (c *boundedConn) bounded(do func([]byte) (int, error), p []byte) (int, error) {
	if err := c.extend(); err != nil {
		return 0, err
	}
	n, err := do(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, fmt.Errorf("%w: %w", silentError(c.silence), err)
	}
	if err == nil {
		err = c.extend()
	}
	return n, err
}

func (c *boundedConn) extend() error { return c.SetDeadline(time.Now().Add(c.silence)) }

// watch calls giveUp when a read or a write of a program's pipes waits, and for longer than limit
// nothing goes through any of them. A client that itself takes long between two reads is no reason.
type watch struct {
	limit  time.Duration
	giveUp func()

	mu      sync.Mutex // guards what follows
	waiting int        // reads and writes
	since   time.Time  // the last byte, or the begin of the wait
	timer   *time.Timer
	expired bool
}

// silent reports whether giveUp was called.
func (w *watch) silent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.expired
}

// around does a read or a write.
func (w *watch) around(do func([]byte) (int, error), p []byte) (int, error) {
	w.step(+1)
	defer w.step(-1)
	return do(p)
}

func (w *watch) step(change int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting += change
	w.since = time.Now()
	switch {
	case w.waiting == 0:
		w.timer.Stop()
	case w.timer == nil:
		w.timer = time.AfterFunc(w.limit, w.expire)
	default:
		w.timer.Reset(w.limit)
	}
}

func (w *watch) expire() {
	w.mu.Lock()
	late := w.waiting > 0 && time.Since(w.since) >= w.limit
	w.expired = w.expired || late
	w.mu.Unlock()
	if late {
		w.giveUp()
	}
}

type watchedReader struct {
	io.Reader
	watch *watch
}

// Read reads what comes in time.
func (r watchedReader) Read(p []byte) (int, error) { return r.watch.around(r.Reader.Read, p) }

type watchedWriter struct {
	io.WriteCloser
	watch *watch
}

// Write sends what is taken in time.
func (w watchedWriter) Write(p []byte) (int, error) { return w.watch.around(w.WriteCloser.Write, p) }
