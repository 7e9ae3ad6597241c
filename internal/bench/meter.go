package bench

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"time"
)

// Traffic is what passed a meter. Of HTTP the bytes are those of bodies; else all of them, and there are no requests.
type Traffic struct{ Requests, Sent, Read int64 }

// Meter stands before a server and counts.
type Meter struct {
	Addr                 string // host:port to use in place of the server's
	requests, sent, read atomic.Int64
	close                func() error
}

// Take returns what passed since the last call.
func (m *Meter) Take() Traffic {
	return Traffic{Requests: m.requests.Swap(0), Sent: m.sent.Swap(0), Read: m.read.Swap(0)}
}

// Close ends the meter.
func (m *Meter) Close() error { return m.close() }

// CountHTTP starts a meter before the HTTP server at addr. Requests keep the host that they name, since signatures
// and redirects have it.
func CountHTTP(addr string) (*Meter, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &Meter{Addr: listener.Addr().String()}
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	proxy := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", addr, r.In.Host
			m.requests.Add(1)
			if r.Out.Body != nil && r.Out.Body != http.NoBody {
				r.Out.Body = countedBody{r.Out.Body, &m.sent}
			}
		},
		ModifyResponse: func(r *http.Response) error {
			r.Body = countedBody{r.Body, &m.read}
			return nil
		},
	}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() { _ = server.Serve(listener); close(ended) }() // ends with an error at Close
	m.close = func() error {
		defer transport.CloseIdleConnections()
		err := server.Close()
		<-ended
		return err
	}
	return m, nil
}

// countedBody counts what is read of a body.
type countedBody struct {
	io.ReadCloser
	count *atomic.Int64
}

// Read counts what is read.
func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.count.Add(int64(n))
	return n, err
}

// CountBytes starts a meter before the server at addr, of whatever protocol.
func CountBytes(addr string) (*Meter, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &Meter{Addr: listener.Addr().String()}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			open.Go(func() { m.relay(ctx, conn, addr) })
		}
	})
	m.close = func() error {
		cancel()
		err := listener.Close()
		open.Wait()
		return err
	}
	return m, nil
}

// relay passes one connection on until both sides have ended, or ctx.
func (m *Meter) relay(ctx context.Context, client net.Conn, addr string) {
	defer client.Close()
	server, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return // the client sees a connection that ends
	}
	defer server.Close()
	stop := context.AfterFunc(ctx, func() { _ = errors.Join(client.Close(), server.Close()) }) // ends the copies
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { pass(server, client, &m.sent) })
	both.Go(func() { pass(client, server, &m.read) })
	both.Wait()
}

// pass copies until src ends, and tells dst so.
func pass(dst, src net.Conn, count *atomic.Int64) {
	_, _ = io.Copy(countedWriter{dst, count}, src) // either side may break off
	if half, ok := dst.(*net.TCPConn); ok {
		_ = half.CloseWrite() // it may be closed already
	}
}

type countedWriter struct {
	io.Writer
	count *atomic.Int64
}

// Write counts what is written.
func (w countedWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.count.Add(int64(n))
	return n, err
}
