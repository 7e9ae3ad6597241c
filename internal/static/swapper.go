package static

import (
	"net/http"
	"sync"
	"sync/atomic"
)

// Swapper serves with a handler that can be changed in one step. A request that has begun
// finishes on the handler that it began with. The zero value has no handler yet and
// answers 503.
type Swapper struct {
	current atomic.Pointer[held]

	mu    sync.Mutex // guards what follows
	ready chan struct{}
	done  bool // ready is closed
}

// Ready returns a channel that is closed once there is a handler.
func (s *Swapper) Ready() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready == nil {
		s.ready = make(chan struct{})
	}
	return s.ready
}

// becomeReady closes what Ready returns.
func (s *Swapper) becomeReady() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready == nil {
		s.ready = make(chan struct{})
	}
	if !s.done {
		s.done = true
		close(s.ready)
	}
}

// held is a handler and the number of its users: the Swapper itself and every request.
type held struct {
	handler http.Handler
	users   atomic.Int64
	release func()
}

// Swap serves every request that begins from now on with h, or with 503 where h is nil.
// release, if not nil, is called once h has been swapped out and its last request is over.
func (s *Swapper) Swap(h http.Handler, release func()) {
	var next *held
	if h != nil {
		next = &held{handler: h, release: release}
		next.users.Store(1)
	}
	old := s.current.Swap(next)
	if h != nil {
		s.becomeReady()
	}
	if old != nil {
		old.leave()
	}
}

// ServeHTTP serves with the current handler.
func (s *Swapper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.enter()
	if c == nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "nothing is published here yet", http.StatusServiceUnavailable)
		return
	}
	defer c.leave()
	c.handler.ServeHTTP(w, r)
}

// enter joins the users of the current handler, nil where there is none.
func (s *Swapper) enter() *held {
	for {
		c := s.current.Load()
		if c == nil || c.join() {
			return c
		}
	}
}

// join fails when the last user has left: the handler was swapped out in between.
func (h *held) join() bool {
	for {
		n := h.users.Load()
		if n == 0 {
			return false
		}
		if h.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (h *held) leave() {
	if h.users.Add(-1) == 0 && h.release != nil {
		h.release()
	}
}
