package front

import (
	"context"
	"errors"
	"sync"
	"time"

	"mirror/internal/front/blobs"
	"mirror/site"
)

// flightTime bounds how long all origins together may take for one content.
const flightTime = time.Minute

// maxFlights is how many contents are fetched at once.
const maxFlights = 256

// flights fetches each content once, however many visitors ask for it.
type flights struct {
	ctx    context.Context //nolint:containedctx // a flight outlives the request that began it
	stop   context.CancelFunc
	places chan struct{} // one for each flight
	all    sync.WaitGroup

	mu      sync.Mutex // guards what follows
	running map[site.Digest]*flight
	ended   bool
}

func (s *flights) init() {
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.running, s.places = map[site.Digest]*flight{}, make(chan struct{}, maxFlights)
}

// flight is a content that is being fetched.
type flight struct {
	done    chan struct{}
	waiters int // who have not left; guarded by flights.mu

	content blobs.Content // for each waiter, once done
	err     error
}

// errEnded is what a fetch gives once the front is closing.
var errEnded = errors.New("the front is closing")

// join returns the flight of a content, and begins it by fetch where there is none.
func (s *flights) join(d site.Digest, fetch func(ctx context.Context) (blobs.Content, error)) (*flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, errEnded
	}
	if fl := s.running[d]; fl != nil {
		fl.waiters++
		return fl, nil
	}
	fl := &flight{done: make(chan struct{}), waiters: 1}
	s.running[d] = fl
	ctx, cancel := context.WithTimeout(s.ctx, flightTime)
	s.all.Go(func() {
		defer cancel()
		content, err := fetch(ctx)
		s.land(d, fl, content, err)
	})
	return fl, nil
}

// land gives the content to those who wait.
func (s *flights) land(d site.Digest, fl *flight, content blobs.Content, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, d)
	for range fl.waiters {
		content.Share()
	}
	if err == nil {
		content.Close() // the flight's own use
	}
	fl.content, fl.err = content, err
	close(fl.done)
}

// leave is called by a waiter that does not wait any longer.
func (s *flights) leave(fl *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-fl.done:
		if fl.err == nil {
			fl.content.Close()
		}
	default:
		fl.waiters--
	}
}

// end ends all flights and waits for them.
func (s *flights) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.stop()
	s.all.Wait()
}
