// Package upstream fetches pages of a release from the origins of a front: every body is verified whole,
// a wrong, cut, slow or missing one is fetched from the next origin, and an origin that gave one is asked
// again only once it has shown that it serves the release.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mirror/diff"
	"mirror/internal/front/blobs"
	"mirror/internal/origin"
	"mirror/site"
)

// Origin is one origin of a front.
type Origin struct {
	Name     string
	Endpoint origin.Endpoint

	client  *origin.Client
	breaker breaker
	latency latency
	served  atomic.Int64 // bodies that visitors got
	failed  atomic.Int64 // requests that gave no verified body
}

// Set is the origins of a front. It is safe for concurrent use.
type Set struct {
	Origins []*Origin
	// Trouble is told of what an origin did wrong, before a second look has confirmed it.
	Trouble func(*Origin, diff.Difference)

	next    atomic.Int64 // to share requests among equals
	running sync.WaitGroup
}

// New returns the set of the origins at these endpoints.
func New(at []origin.Endpoint) *Set {
	s := &Set{Trouble: func(*Origin, diff.Difference) {}}
	for _, e := range at {
		e.Pace, e.Waited, e.Rate = origin.NewPace(0), true, 0 // visitors are not made to wait for the pace of a check
		s.Origins = append(s.Origins, &Origin{Name: e.Name, Endpoint: e, client: origin.New(e)})
	}
	return s
}

// Close waits for the requests that are under way, which the caller has ended, and drops the connections.
func (s *Set) Close() {
	s.running.Wait()
	for _, o := range s.Origins {
		o.client.Close()
	}
}

// Want is a page to fetch.
type Want struct {
	File site.File
	// Limit is the size of the largest body to accept where the file's size is not known.
	Limit int64
	// Rank orders the origins: those with a lower rank are asked first.
	Rank func(i int) int
}

// limit returns how many bytes the body may have.
func (w Want) limit() int64 {
	if w.File.Size > 0 {
		return w.File.Size
	}
	return w.Limit
}

// ErrNoOrigin says that no origin gave the page of the release.
var ErrNoOrigin = errors.New("no origin gives this page as the release has it")

// reply is what one origin made of a request.
type reply struct {
	origin     *Origin
	content    *blobs.Writer // nil where the body was not that of the release
	difference diff.Difference
	local      error // why the body could not be kept here, which is no fault of the origin
	elapsed    time.Duration
}

// Fetch returns the verified content of a page, and the origin that gave it. It asks the best origin, the
// next one when that fails or takes longer than it usually does, and so on. The error wraps ErrNoOrigin
// where all have failed, and names what each did; it wraps blobs.ErrNoRoom where the body has no room here.
func (s *Set) Fetch(ctx context.Context, want Want, store *blobs.Store) (blobs.Content, *Origin, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	order := s.order(want.Rank)
	replies := make(chan reply, len(order))
	begun, asked, pending := time.Now(), 0, 0
	defer func() { s.drop(replies, pending) }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var errs []error
	for {
		select {
		case <-ctx.Done():
			return blobs.Content{}, nil, ctx.Err()
		case <-timer.C:
			if asked < len(order) {
				s.ask(ctx, order[asked], want, store, replies)
				timer.Reset(order[asked].latency.hedge())
				asked++
				pending++
			}
		case r := <-replies:
			pending--
			if r.content != nil {
				s.slower(order[:asked], r, time.Since(begun))
				return r.content.Keep(want.File.Digest), r.origin, nil
			}
			if r.local != nil {
				return blobs.Content{}, nil, r.local
			}
			errs = append(errs, fmt.Errorf("%s: %s: %s", r.origin.Name, r.difference.Kind, r.difference.Detail))
			if pending == 0 && asked == len(order) {
				return blobs.Content{}, nil, fmt.Errorf("%w: %w", ErrNoOrigin, errors.Join(errs...))
			}
			if asked < len(order) {
				timer.Reset(0)
			}
		}
	}
}

// drop waits in the background for replies that are not needed any more, and deletes their bodies.
func (s *Set) drop(replies <-chan reply, pending int) {
	if pending == 0 {
		return
	}
	s.running.Go(func() {
		for range pending {
			if r := <-replies; r.content != nil {
				r.content.Discard()
			}
		}
	})
}

// slower notes that the origins which were asked before took at least as long as the one that answered.
func (s *Set) slower(asked []*Origin, r reply, elapsed time.Duration) {
	r.origin.served.Add(1)
	for _, o := range asked {
		if o == r.origin {
			return
		}
		o.latency.atLeast(elapsed)
	}
}

// ask asks one origin.
func (s *Set) ask(ctx context.Context, o *Origin, want Want, store *blobs.Store, replies chan<- reply) {
	s.running.Go(func() {
		r := reply{origin: o}
		began := time.Now()
		w := store.NewWriter(want.limit(), want.File.Size)
		d, right := o.fetch(ctx, want, w)
		r.elapsed, r.difference = time.Since(began), d
		if right {
			r.content = w
			o.latency.add(r.elapsed)
			o.breaker.succeeded()
		} else {
			r.local = w.Err()
			w.Discard()
		}
		if ctx.Err() == nil && r.local == nil && d.Kind != "" {
			s.note(o, d, right)
		}
		replies <- r
	})
}

// note counts what an origin did wrong. Right bytes under wrong headers do no harm: visitors get none of
// an origin's headers.
func (s *Set) note(o *Origin, d diff.Difference, right bool) {
	if !right {
		o.failed.Add(1)
	}
	if !right && !d.Kind.Info().Mild {
		o.breaker.failed(time.Now(), d)
	}
	s.Trouble(o, d)
}

// fetch asks for a page. right says that w holds the verified body.
func (o *Origin) fetch(ctx context.Context, want Want, w *blobs.Writer) (d diff.Difference, right bool) {
	f := want.File
	keep := func(status int, _ http.Header) io.Writer {
		if status != http.StatusOK {
			return nil
		}
		w.Reset()
		return w
	}
	page := origin.Page{Path: f.Path, URL: o.Endpoint.Style.URLPath(f.Path), Size: want.limit(), Keep: keep}
	seen := o.client.Fetch(ctx, page)
	got := seen.Digest
	if got != f.Digest && seen.Raw == f.Digest && seen.Status == http.StatusOK { // a compressed file, which is sent as if it were an encoded one
		page.Keep, page.KeepSent = nil, keep
		seen = o.client.Fetch(ctx, page)
		got = seen.Raw
	}
	d, agrees := diff.Judge(diff.Expectation{File: f}, seen)
	if agrees {
		d = diff.Difference{}
	}
	return d, (seen.Err == nil || got == seen.Raw && !got.IsZero()) && seen.Status == http.StatusOK && got == f.Digest && !w.Over()
}

// order lists the origins as they are to be asked: by rank, those whose circuit is open last, and the
// quick ones before the slow ones. Those that are about equally quick take turns.
func (s *Set) order(rank func(i int) int) []*Origin {
	type place struct {
		*Origin
		rank  int
		speed time.Duration
	}
	all := make([]place, len(s.Origins))
	const never = time.Hour
	best := never
	for i, o := range s.Origins {
		all[i] = place{o, 0, o.latency.typical()}
		if rank != nil {
			all[i].rank = rank(i)
		}
		if o.breaker.isOpen() {
			all[i].rank += 1 << 16
		} else {
			best = min(best, all[i].speed)
		}
	}
	turn := int(s.next.Add(1))
	for i := range all {
		if all[i].speed <= 2*best+2*time.Millisecond { // as quick as the best
			all[i].speed = time.Duration((i + turn) % len(all))
		}
	}
	slices.SortStableFunc(all, func(a, b place) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return int(max(-1, min(1, a.speed-b.speed)))
	})
	order := make([]*Origin, len(all))
	for i, p := range all {
		order[i] = p.Origin
	}
	return order
}
