package check

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// look asks for everything once, after the origin was asked what it claims to serve.
func (v *visit) look(ctx context.Context, claim func(context.Context) site.Beacon) error {
	began := time.Now()
	v.known = v.options.Trust.validators(v.at.URL.String())
	c := &collector{visit: v, patience: max(2*v.at.Concurrency, 8), budget: time.Duration(4*max(v.at.Concurrency, 1)) * v.at.Timeout, verified: map[string]Validator{}}
	inner, stop := v.client.UntilSilent(ctx, origin.Silence{For: v.at.Timeout + moment, Over: v.limit.Done(), Then: moment})
	claimed := claim(inner)
	c.observe(inner)
	silent := context.Cause(inner)
	stop()
	if ctx.Err() != nil {
		return fmt.Errorf("check %s: %w", v.at.Name, ctx.Err())
	}
	v.verdict = c.tally.Verdict(v.at.Name, v.at.URL.String())
	v.verdict.Release, v.verdict.Published = claimed.Release, claimed.Published
	v.noise = c.noise
	v.verdict.Elapsed, v.verdict.Pages = time.Since(began), pageCount(v.wants)
	if v.verdict.Err == nil {
		v.verdict.Err = c.fellSilent(silent)
	}
	v.options.Trust.keep(v.at.URL.String(), c.verified)
	return nil
}

// moment is how much longer than an answer may take an origin may give nothing at all, and how
// long it may when its time is over.
const moment = time.Second

// collector gathers the answers of one origin, and gives up on one that has fallen silent.
type collector struct {
	*visit
	patience int           // how many unanswered requests in a row are enough
	budget   time.Duration // and how long may be spent on such, over all

	mu         sync.Mutex
	tally      diff.Tally
	verified   map[string]Validator
	noise      []noise
	done       int
	unanswered int
	waited     time.Duration // for nothing
	silent     int           // unanswered in a row
	last       error
	gaveUp     bool
	unknown    int // status of the answer for a path that never existed, 0 while there is none
}

// observe asks for everything until ctx ends or the origin is given up.
func (c *collector) observe(ctx context.Context) {
	inner, giveUp := context.WithCancel(ctx)
	defer giveUp()
	agrees := func(i int, o site.Observation) bool {
		_, ok := diff.Judge(c.want(i), o)
		return ok || c.unchanged(i, o) || c.refusesAsUnknown(i, o)
	}
	_ = c.client.Observe(inner, len(c.wants), c.page, agrees, func(i int, o site.Observation) { // its error is inner's
		if c.collect(inner, i, o) {
			giveUp()
		}
	})
}

// fellSilent is why the origin was not asked for everything, nil where it was.
func (c *collector) fellSilent(silent error) error {
	switch {
	case c.gaveUp:
		return fmt.Errorf("the origin stopped answering: %d of %d requests had no answer: %w", c.unanswered, c.done, c.last)
	case silent != nil && c.done == c.unanswered:
		return silent
	case silent != nil:
		return fmt.Errorf("the origin stopped answering after %d of %d pages: %w", c.done-c.unanswered, len(c.wants), silent)
	}
	return nil
}

// refusesAsUnknown reports whether a removed path is answered as one that never existed: there is
// nothing to confirm then, though the whole of the answers decides what that says.
func (c *collector) refusesAsUnknown(i int, o site.Observation) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wants[i].Absent && o.Err == nil && diff.IsRefusal(o.Status) && o.Status == c.unknown
}

// unchanged reports whether the origin says that a page is as it was verified.
func (c *collector) unchanged(i int, o site.Observation) bool {
	known, ok := c.known[c.wants[i].File.Path]
	return ok && o.Status == http.StatusNotModified && known.Digest == c.wants[i].File.Digest
}

// collect takes the last answer for a page and reports whether to give up on the origin.
func (c *collector) collect(ctx context.Context, i int, o site.Observation) bool {
	want := c.want(i)
	if c.unchanged(i, o) {
		return c.add(o, func() { c.tally.Trust(); c.verified[want.File.Path] = c.known[want.File.Path] })
	}
	d, ok := diff.Judge(want, o)
	if !ok && d.Kind == diff.Altered && !want.Absent && !want.NotFound && !want.Folder {
		switch on := c.normalized(ctx, c.page(i), want.File); {
		case on == forgiven:
			o.Digest = want.File.Digest
		case on == doubtful:
			d.Kind, d.Detail = diff.Unreachable, "differs, and cannot be normalized: the release's bytes are not at hand (hint: have site.dir hold the release)"
			return c.add(o, func() { c.tally.Put(d) })
		case c.options.Learn:
			if again, ok := c.readAgain(ctx, i, o); ok {
				return c.add(o, func() { c.tally.Skip(); c.noise = append(c.noise, noise{[2]diff.Difference{d, again}}) })
			}
		}
	}
	return c.add(o, func() {
		if want.NotFound {
			c.unknown = o.Status
		}
		if c.tally.Add(want, o) && !want.Absent && !want.NotFound && !want.Folder {
			c.headers.note(c.index, i, o.Header)
			c.verify(want.File, o)
		}
	})
}

// readAgain reports whether the origin answers a page that differs otherwise again, and how.
func (c *collector) readAgain(ctx context.Context, i int, o site.Observation) (diff.Difference, bool) {
	again := c.client.FetchFresh(ctx, c.page(i))
	d, ok := diff.Judge(c.wants[i], again)
	return d, !ok && d.Kind == diff.Altered && again.Status == o.Status && again.Err == nil && again.Digest != o.Digest
}

// verify remembers by what a page that was read in full can be asked for next time.
func (c *collector) verify(f site.File, o site.Observation) {
	if c.options.Trust == nil {
		return
	}
	v := Validator{ETag: o.Header.Get("ETag"), Modified: o.Header.Get("Last-Modified"), Digest: f.Digest, Verified: o.Answered}
	if v.ETag != "" || v.Modified != "" {
		c.verified[f.Path] = v
	}
}

// add counts an answer and reports whether to give up.
func (c *collector) add(o site.Observation, count func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	count()
	c.done++
	if c.options.Progress != nil {
		c.options.Progress(c.at.Name, c.done, len(c.wants))
	}
	if o.Status != 0 {
		c.silent = 0
		return false
	}
	c.silent, c.unanswered, c.last = c.silent+1, c.unanswered+1, o.Err
	c.waited += o.Answered.Sub(o.Asked)
	c.gaveUp = c.gaveUp || c.silent >= c.patience || c.waited >= c.budget
	return c.gaveUp
}
