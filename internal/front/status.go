package front

import (
	"time"

	"mirror/diff"
	"mirror/internal/front/blobs"
	"mirror/internal/front/upstream"
	"mirror/site"
)

// Status is how a front stands.
type Status struct {
	Release   site.ID // that visitors get, None before the first
	Sequence  int64
	Rollback  bool
	Published time.Time
	Files     int
	Since     time.Time // it was moved to, or restored
	Quorum    int
	Reachable bool // some origin answers
	Origins   []OriginStatus

	Requests, Cached, Fetched, Failures, Wrong, Moves, Streams, Cuts, Hints int64

	Cache blobs.Usage
}

// OriginStatus is how one origin stands.
type OriginStatus struct {
	Name, URL string
	Release   site.ID // that it claims
	Sequence  int64
	Holds     bool // the claimed release was verified there
	Current   bool // it holds what visitors get
	Answers   bool
	Trouble   diff.Difference // Kind is "" for none
	Since     time.Time       // of the trouble
	upstream.Status
}

// Status returns how the front stands now.
func (f *Front) Status() Status {
	s := Status{
		Quorum: f.options.Quorum, Reachable: !f.dark.Load(), Cache: f.store.Usage(),
		Requests: f.counts.requests.Load(), Cached: f.counts.cached.Load(), Fetched: f.counts.fetched.Load(),
		Failures: f.counts.failures.Load(), Wrong: f.counts.wrong.Load(), Moves: f.counts.moves.Load(), Streams: f.counts.streams.Load(), Cuts: f.counts.cuts.Load(), Hints: f.counts.hints.Load(),
	}
	e := f.current.Load()
	if e != nil {
		s.Release, s.Sequence, s.Rollback, s.Published, s.Files = e.release, e.sequence, e.rollback, e.published, len(e.manifest)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s.Since = f.since
	for i, o := range f.origins.Origins {
		v := f.views[i]
		s.Origins = append(s.Origins, OriginStatus{
			Name: o.Name, URL: o.Endpoint.URL.String(), Release: v.beacon.Release, Sequence: v.beacon.Sequence,
			Holds: v.held != site.None, Current: e != nil && v.held == e.release, Answers: v.answers,
			Trouble: v.trouble, Since: v.since, Status: o.Status(),
		})
	}
	return s
}
