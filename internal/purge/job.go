package purge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"
	"time"

	"mirror/diff"
	"mirror/site"
)

// How often a page is purged again that is still answered with old bytes: one that the publish changes, and any other.
// Of the others there are at most so many: on some origins every page differs.
const (
	againChanged = 10
	againOther   = 1
	mostOthers   = 500
)

// The pause before a page is purged again doubles from firstAgain up to lastAgain.
const (
	firstAgain = 500 * time.Millisecond
	lastAgain  = time.Minute
)

// Front is an origin with the caches before it.
type Front struct {
	Name   string
	URL    *url.URL
	Style  site.URLStyle
	Caches []Named // in the order in which they are purged: that next to the origin first
}

// Named is a cache and its type.
type Named struct {
	Type string
	Cache
}

// Report is what a job did.
type Report struct {
	Origin   string
	Types    []string
	URLs     int // different ones
	Requests int
	Rounds   int       // more than one where something was purged again
	Began    time.Time // of the first request
	Done     time.Time // of the last round
	Err      error     // of the last round
}

// Job removes from the caches before one origin what one publish changes.
type Job struct {
	front   Front
	release site.ID
	cancel  context.CancelCauseFunc
	wake    chan struct{} // holds one signal
	ended   chan struct{}

	mu      sync.Mutex
	due     map[string]bool      // pages to purge at once, see pages
	stale   map[string]bool      // pages that were answered with old bytes since they were purged
	changed map[string]bool      // pages that the publish changes
	purged  map[string]time.Time // when the last purge of a page was done
	again   map[string]int       // how often a page was purged again
	others  int                  // pages that the publish does not change and that were found old
	pause   time.Duration        // before the next time
	next    time.Time
	closing bool
	urls    map[string]bool
	report  Report
}

// Start begins a job, which ends with Finish.
func Start(front Front, release site.ID) *Job {
	ctx, cancel := context.WithCancelCause(context.Background())
	j := &Job{
		front: front, release: release, cancel: cancel, wake: make(chan struct{}, 1), ended: make(chan struct{}), pause: firstAgain,
		due: map[string]bool{}, stale: map[string]bool{}, changed: map[string]bool{}, purged: map[string]time.Time{}, again: map[string]int{},
		urls: map[string]bool{}, report: Report{Origin: front.Name},
	}
	for _, c := range front.Caches {
		j.report.Types = append(j.report.Types, c.Type)
	}
	go j.run(ctx)
	return j
}

// Changed purges what has changed at the origin. It returns at once.
func (j *Job) Changed(c diff.Changes) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for path, came := range pages(c) {
		j.due[path] = j.due[path] || came
		j.changed[path] = j.changed[path] || came
	}
	j.signal()
}

// Watched hears of an answer through the caches while the origin changes: which page was asked for, when the request began,
// and whether it was old. Before the first purge of a page old answers are as they should be.
func (j *Job) Watched(path string, asked time.Time, old bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.purged[path].IsZero() {
		return
	}
	j.see(path, asked, old)
}

// See is Watch at a time when every answer should be new.
func (j *Job) See(path string, asked time.Time, old bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.see(path, asked, old)
}

// see takes in an answer. The caller must hold mu.
func (j *Job) see(path string, asked time.Time, old bool) {
	_, ours := j.changed[path]
	most := againOther
	switch {
	case ours:
		most = againChanged
	case old && !j.stale[path] && j.again[path] == 0:
		if j.others++; j.others > mostOthers {
			most = 0
		}
	}
	switch {
	case !old:
		delete(j.stale, path)
	case asked.After(j.purged[path]) && j.again[path] < most:
		j.stale[path] = true
		j.signal()
	}
}

// Finish ends the job when no purge that was asked for is left, or ctx ends.
func (j *Job) Finish(ctx context.Context) Report {
	j.mu.Lock()
	j.closing = true
	j.signal()
	j.mu.Unlock()
	select {
	case <-j.ended:
	case <-ctx.Done():
		j.cancel(context.Cause(ctx))
		<-j.ended
	}
	j.cancel(nil)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.report.URLs = len(j.urls)
	return j.report
}

// signal wakes the job. The caller must hold mu.
func (j *Job) signal() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *Job) run(ctx context.Context) {
	defer close(j.ended)
	for ctx.Err() == nil {
		batch, after, over := j.take(time.Now())
		switch {
		case len(batch) > 0:
			j.round(ctx, batch)
			continue
		case over:
			return
		}
		timer := time.NewTimer(after)
		select {
		case <-ctx.Done():
		case <-j.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// idle is how long nothing is looked at where nothing is due.
const idle = time.Hour

// take returns the pages to purge now; or after what time to look again, or that the job is over.
func (j *Job) take(now time.Time) (batch map[string]bool, after time.Duration, over bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	batch = maps.Clone(j.due)
	clear(j.due)
	switch {
	case len(j.stale) > 0 && !now.Before(j.next) && (!j.closing || j.report.Rounds == 0):
		for path := range j.stale {
			batch[path] = batch[path] || j.changed[path]
			j.again[path]++
		}
		clear(j.stale)
	case len(batch) > 0:
	case j.closing:
		return nil, 0, true
	case len(j.stale) > 0:
		return nil, j.next.Sub(now), false
	}
	return batch, idle, false
}

// round purges pages from all caches, that next to the origin first: another one fills itself from it.
func (j *Job) round(ctx context.Context, batch map[string]bool) {
	urls := urlsOf(j.front.URL, j.front.Style, batch)
	j.mu.Lock()
	for _, address := range urls {
		j.urls[address] = true
	}
	b := Batch{Origin: j.front.Name, Site: j.front.URL, Release: j.release, URLs: urls, Again: j.report.Rounds}
	if j.report.Rounds == 0 {
		j.report.Began = time.Now()
	}
	j.mu.Unlock()
	requests, err := 0, error(nil)
	for _, c := range j.front.Caches {
		n, failed := c.Purge(ctx, b)
		requests += n
		err = errors.Join(err, failed)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	for path := range batch {
		j.purged[path] = now
		delete(j.stale, path)
	}
	j.next, j.pause = now.Add(j.pause), min(2*j.pause, lastAgain)
	j.report.Requests += requests
	j.report.Rounds++
	j.report.Done, j.report.Err = now, err
}

// String describes a report for people.
func (r Report) String() string {
	return fmt.Sprintf("%d URLs at %s in %d requests", r.URLs, strings.Join(r.Types, ", "), r.Requests)
}
