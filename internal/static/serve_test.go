package static

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/fstest"
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
