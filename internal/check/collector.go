package check

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/site"
)

// collector gathers and judges the answers of one origin.
type collector struct {
	*visit
	pass    *survey.Pass
	unknown status // of the answer for a path that never existed

	// These are written by one answer after another, see survey.Pass.Count.
	tally    diff.Tally
	verified map[string]Validator
	noise    []noise
	lasting  int // answers that were permanent failures
	looks    diff.Looks
	silent   diff.Look // at the pages that had no answer since the last that had one
}

// status is one that several goroutines set and read; 0 while there is none.
type status struct {
	mu   sync.Mutex
	code int
}

func (s *status) set(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code = code
}

func (s *status) get() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code
}

// read asks for everything once, after the origin was asked what it claims to serve.
func (v *visit) read(ctx context.Context, claim func(context.Context) site.Beacon) error {
	began := time.Now()
	v.known = v.options.Validators.known(v.at.Identity())
	c := &collector{visit: v, verified: map[string]Validator{}, pass: v.pass()}
	var claimed site.Beacon
	silence := survey.Silence{For: v.at.Timeout + moment, Over: v.limit.Done(), Then: moment}
	var plain sync.WaitGroup
	plain.Go(func() { c.client.AskPlain(ctx) })
	c.pass.Run(ctx, silence, func(ctx context.Context) {
		claimed = claim(ctx)
		c.readPages(ctx)
	})
	plain.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("check %s: %w", v.at.Name, ctx.Err())
	}
	v.verdict = c.tally.Verdict(v.at.Name, v.at.URL.String())
	v.verdict.Release, v.verdict.Published = claimed.Release, claimed.Published
	v.verdict.RolledBack = claimed.Rollback
	v.noise = c.noise
	v.failing = c.lasting > 0 && c.lasting == c.pass.Counts().Done
	v.verdict.Elapsed, v.verdict.Pages = time.Since(began), pageCount(v.wants)
	if v.verdict.Err == nil {
		v.verdict.Err = c.stopped()
	}
	v.verdict.Times = c.times(began)
	v.options.Validators.keep(v.at.Identity(), c.verified)
	return nil
}

func (v *visit) pass() *survey.Pass {
	o := survey.PassOptions{Budget: time.Duration(4*v.client.Concurrency()) * v.at.Timeout}
	if v.options.Progress != nil {
		o.Progress = func(done int) { v.options.Progress(v.at.Name, done, len(v.wants)) }
	}
	return survey.NewPass(v.client, o)
}

// readPages asks for everything until ctx ends.
func (c *collector) readPages(ctx context.Context) {
	agrees := func(i int, o site.Observation) bool {
		_, ok := diff.Judge(c.want(i), o)
		return ok || c.unchanged(i, o) || c.refusesAsUnknown(i, o)
	}
	_ = survey.Pages(ctx, c.client, len(c.wants), c.page, agrees, func(i int, o site.Observation) { c.judge(ctx, i, o) }) // its error is ctx's
}

// stopped is why the origin was not asked for everything, nil where it was.
func (c *collector) stopped() error {
	n := c.pass.Counts()
	switch {
	case n.Limit != nil:
		return fmt.Errorf("%d of %d pages were judged: %w", n.Answered()-n.Limited, len(c.wants), n.Limit)
	case n.GaveUp:
		return fmt.Errorf("the origin stopped answering: %d of %d requests had no answer: %w", n.Unanswered, n.Done, n.Last)
	case n.Silent != nil && n.Answered() == 0:
		return n.Silent
	case n.Silent != nil:
		return fmt.Errorf("the origin stopped answering after %d of %d pages: %w", n.Answered(), len(c.wants), n.Silent)
	}
	return nil
}

// refusesAsUnknown reports whether a removed path is answered as one that never existed: there is
// nothing to confirm then, though the whole of the answers decides what that says.
func (c *collector) refusesAsUnknown(i int, o site.Observation) bool {
	return c.wants[i].Absent && o.Err == nil && diff.IsRefusal(o.Status) && o.Status == c.unknown.get()
}

// unchanged reports whether the origin says that a page is as it was verified.
func (c *collector) unchanged(i int, o site.Observation) bool {
	known, ok := c.known[c.wants[i].File.Path]
	return ok && o.Status == http.StatusNotModified && known.Digest == c.wants[i].File.Digest
}

// judge takes the last answer for a page.
func (c *collector) judge(ctx context.Context, i int, o site.Observation) {
	want := c.want(i)
	if c.unchanged(i, o) {
		c.count(i, o, func() { c.tally.Trust(); c.verified[want.File.Path] = c.known[want.File.Path] })
		return
	}
	d, ok := diff.Judge(want, o)
	if !ok && d.Kind == diff.Altered && isPage(want) {
		switch on := c.normalized(ctx, c.page(i), want.File); {
		case on == forgiven:
			o.Digest = want.File.Digest
		case on == doubtful:
			d.Kind, d.Detail = diff.Unreachable, "differs, and cannot be normalized: the release's bytes are not at hand (hint: have site.dir hold the release)"
			c.count(i, o, func() { c.tally.Put(d) })
			return
		case c.options.Learn:
			if reread, ok := c.reread(ctx, i, o); ok {
				c.count(i, o, func() { c.tally.Skip(); c.noise = append(c.noise, noise{d, reread}) })
				return
			}
		}
	}
	c.count(i, o, func() { c.add(i, want, o) })
}

// count counts the answer to the i-th page, and keeps what keep says of it.
func (c *collector) count(i int, o site.Observation, keep func()) {
	c.pass.Count(o.Status, o.Err, o.Answered.Sub(o.Asked), func() {
		c.time(i, o)
		if _, lasts := origin.Permanent(o); lasts {
			c.lasting++
		}
		keep()
	})
}

// times tells when a read that began at an instant looked at the pages.
func (c *collector) times(began time.Time) diff.Times {
	if c.silent.Asked.IsZero() { // the requests that were under way were given up
		return diff.Times{Looks: c.looks, ErrAsked: began, ErrAnswered: time.Now()}
	}
	return diff.Times{Looks: c.looks, ErrAsked: c.silent.Asked, ErrAnswered: c.silent.Answered}
}

// time keeps when the i-th page was asked for and answered.
func (c *collector) time(i int, o site.Observation) {
	if o.Asked.IsZero() { // it never was
		return
	}
	c.looks.Note(i, len(c.wants), c.wants[i].File.Path, o.Asked, o.Answered)
	switch {
	case o.Status != 0:
		c.silent = diff.Look{}
	case c.silent.Asked.IsZero():
		c.silent = diff.Look{Asked: o.Asked, Answered: o.Answered}
	default:
		c.silent.Asked, c.silent.Answered = latest(c.silent.Asked, o.Asked), earliest(c.silent.Answered, o.Answered)
	}
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// add has an answer count as it came.
func (c *collector) add(i int, want diff.Expectation, o site.Observation) {
	if want.NotFound {
		c.unknown.set(o.Status)
	}
	good := c.tally.Add(want, o)
	if good && isPage(want) {
		c.headers.note(c.index, i, o.Header)
		c.verify(want.File, o)
	}
	if c.options.Cached != nil && !want.NotFound && !want.Folder && (good || o.Status != 0) {
		o.Path = want.File.Path
		c.options.Cached(c.at.Name, o, good)
	}
}

// reread reports whether the origin answers a page that differs with other bytes again, and which.
func (c *collector) reread(ctx context.Context, i int, o site.Observation) (diff.Difference, bool) {
	again := c.client.FetchFresh(ctx, c.page(i))
	d, ok := diff.Judge(c.wants[i], again)
	return d, !ok && d.Kind == diff.Altered && again.Status == o.Status && again.Err == nil && again.Digest != o.Digest
}

// verify remembers by what a page that was read in full can be asked for next time.
func (c *collector) verify(f site.File, o site.Observation) {
	if c.options.Validators == nil {
		return
	}
	v := Validator{ETag: o.Header.Get("ETag"), Modified: o.Header.Get("Last-Modified"), Digest: f.Digest, Verified: o.Answered}
	if v.ETag != "" || v.Modified != "" {
		c.verified[f.Path] = v
	}
}
