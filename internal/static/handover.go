package static

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// farewell is for how long a server that hands its socket over tells clients to connect anew, and then for how long
// it waits for the request of a client that has connected.
const farewell = time.Second

// HandOver is ServeBy for a socket that another process takes over. After ctx has ended it goes on to serve for a
// second, and closes each connection with its answer: a client that keeps connections open then sends no request
// on one that is being closed. Then it accepts no more connections, and lets requests in flight finish, for 10 s at
// most. The socket itself stays open, so that who connects meanwhile is served by the next process.
//
// http.Server.Shutdown alone does not do: it closes connections that were accepted and whose request it reads only
// after it was called.
func HandOver(ctx context.Context, s *http.Server, l net.Listener) error {
	next, busy := s.Handler, &busyConns{conns: map[net.Conn]http.ConnState{}}
	s.ConnState = busy.note
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(farewell):
	}
	_ = l.Close()                                       // this process's descriptor of it
	if err := <-ended; !errors.Is(err, net.ErrClosed) { // what was accepted is in busy now
		return err
	}
	busy.wait(farewell)
	busy.forgetNew()
	busy.wait(drain)
	return shutdown(context.WithoutCancel(ctx), s)
}

// busyConns are the connections on which an answer is due.
type busyConns struct {
	mu    sync.Mutex // guards what follows
	conns map[net.Conn]http.ConnState
	empty chan struct{} // closed when there is none any more; nil while nothing waits for that
}

func (b *busyConns) note(c net.Conn, state http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch state {
	case http.StateNew, http.StateActive:
		b.conns[c] = state
	default:
		delete(b.conns, c)
	}
	b.tell()
}

// tell wakes who waits. The caller must hold mu.
func (b *busyConns) tell() {
	if len(b.conns) == 0 && b.empty != nil {
		close(b.empty)
		b.empty = nil
	}
}

// forgetNew leaves out the connections that have sent no request.
func (b *busyConns) forgetNew() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c, state := range b.conns {
		if state == http.StateNew {
			delete(b.conns, c)
		}
	}
}

// wait waits until no connection is busy, for so long at most.
func (b *busyConns) wait(most time.Duration) {
	b.mu.Lock()
	empty := make(chan struct{})
	b.empty = empty
	b.tell()
	b.mu.Unlock()
	select {
	case <-empty:
	case <-time.After(most):
	}
}
