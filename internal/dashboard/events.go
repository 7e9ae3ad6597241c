package dashboard

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// maxListeners bounds the open event streams: each is a connection and a goroutine.
const maxListeners = 64

// heartbeat is how often an idle stream says that it lives: more often than proxies cut
// connections on which nothing happens.
const heartbeat = 15 * time.Second

// events tells open pages, as server-sent events (WHATWG HTML, section 9.2), that there is
// something new. A listener that is slow misses none: it hears of the latest only.
type events struct {
	boot      int64 // tells this process's revisions from an earlier one's
	heartbeat time.Duration

	mu        sync.Mutex
	revision  uint64
	listeners map[chan struct{}]bool
	closed    chan struct{}
}

func newEvents(now func() time.Time) *events {
	return &events{boot: now().UnixNano(), heartbeat: heartbeat, listeners: map[chan struct{}]bool{}, closed: make(chan struct{})}
}

func (e *events) changed() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.revision++
	for listener := range e.listeners {
		select {
		case listener <- struct{}{}:
		default: // it is told already
		}
	}
}

func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.closed:
	default:
		close(e.closed)
	}
}

// listen adds a listener, nil where there are too many, or none are taken any more.
func (e *events) listen() chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.closed:
		return nil
	default:
	}
	if len(e.listeners) >= maxListeners {
		return nil
	}
	listener := make(chan struct{}, 1)
	e.listeners[listener] = true
	return listener
}

func (e *events) leave(listener chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.listeners, listener)
}

// id names what there is to show now.
func (e *events) id() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return fmt.Sprintf("%x-%d", e.boot, e.revision)
}

// ServeHTTP is one stream. One that was cut says with Last-Event-ID what it last heard of,
// and is told at once if that is not the latest.
func (e *events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	if r.Method == http.MethodHead {
		return
	}
	listener := e.listen()
	if listener == nil {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many pages are listening; reload to see what is new", http.StatusServiceUnavailable)
		return
	}
	defer e.leave(listener)
	s := stream{w, http.NewResponseController(w), e.heartbeat}
	if !s.say("retry: 3000\n" + e.first(r.Header.Get("Last-Event-ID"))) {
		return
	}
	e.follow(r, s, listener)
}

// first is what a listener is told that last heard of the event called last.
func (e *events) first(last string) string {
	now := e.id()
	if last == "" || last == now {
		return "id: " + now + "\nevent: hello\ndata: " + now + "\n\n"
	}
	return change(now)
}

func (e *events) follow(r *http.Request, s stream, listener chan struct{}) {
	beat := time.NewTicker(e.heartbeat)
	defer beat.Stop()
	for {
		text := ": still here\n\n"
		select {
		case <-r.Context().Done():
			return
		case <-e.closed:
			return
		case <-beat.C:
		case <-listener:
			text = change(e.id())
		}
		if !s.say(text) {
			return
		}
	}
}

func change(id string) string { return "id: " + id + "\nevent: change\ndata: " + id + "\n\n" }

// stream is an answer that goes on.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	patient time.Duration
}

// say sends text at once and reports whether it went. A reader that takes nothing for as
// long as two heartbeats has gone.
func (s stream) say(text string) bool {
	// Not every writer has a deadline, and those without need none.
	_ = s.control.SetWriteDeadline(time.Now().Add(2 * s.patient))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return false
	}
	return s.control.Flush() == nil
}
