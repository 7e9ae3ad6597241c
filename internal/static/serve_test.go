package static

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
)

func TestSwapperLetsRequestsFinish(t *testing.T) {
	var s Swapper
	if got := ask(t, &s, "GET", "/").StatusCode; got != 503 {
		t.Errorf("before the first release: %d, want 503", got)
	}
	inside, finish := make(chan bool), make(chan bool)
	var released atomic.Bool
	s.Swap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		inside <- true
		<-finish
		_, _ = io.WriteString(w, "old")
	}), func() { released.Store(true) })
	answer := make(chan string)
	go func() {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		answer <- w.Body.String()
	}()
	<-inside
	s.Swap(New(fstest.MapFS{"index.html": {Data: []byte("new")}}, Options{}), nil)
	if got := body(t, ask(t, &s, "GET", "/")); got != "new" || released.Load() {
		t.Errorf("after the swap: %q, old released: %t", got, released.Load())
	}
	finish <- true
	if got := <-answer; got != "old" {
		t.Errorf("the request in flight got %q, want old", got)
	}
	if !released.Load() {
		t.Error("the old release was not released after its last request")
	}
}

func TestServeStopsCleanly(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	inside := make(chan bool)
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		inside <- true
		<-ctx.Done()
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1000))
	})
	done := make(chan error)
	go func() { done <- Serve(ctx, l, h) }()
	got := make(chan int)
	go func() {
		res, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			got <- -1
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		got <- len(b)
	}()
	<-inside
	cancel()
	if n := <-got; n != 1000 {
		t.Errorf("the request in flight got %d bytes, want 1000", n)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// pipes is a listener in memory.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.conns) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestHandOver sends requests on connections that were open before the server was told to stop: they are answered,
// and told to connect anew.
func TestHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l, ended := &pipes{conns: make(chan net.Conn)}, make(chan error, 1)
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "served") })
		go func() { ended <- HandOver(ctx, NewServer(h), l) }()
		client, server := net.Pipe()
		l.conns <- server
		answers := bufio.NewReader(client)
		ask := func() bool {
			if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			if err != nil || string(text) != "served" {
				t.Fatalf("got %q, %v", text, err)
			}
			return resp.Close
		}
		if ask() {
			t.Error("a connection is closed while the server runs")
		}
		cancel()
		synctest.Wait()
		if !ask() {
			t.Error("a connection stays open although the server is to stop")
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
