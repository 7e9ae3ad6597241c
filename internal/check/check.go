// Package check looks at every live origin and says where it does not serve the release:
// internal/origin fetches, diff judges, and this package brings the two together.
package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// Options says what to look for.
type Options struct {
	Release    site.ID
	Manifest   site.Manifest
	BeaconPath string   // "" for none
	NotFound   string   // the site's not-found page; "" where only the status counts
	Absent     []string // paths that the release does not have and that may be served all the same
	OwnFiles   []string // paths that targets add and keep by themselves: not extra where they are served
	Ignore     []string // doublestar globs over paths that are not looked at
	Normalize  []Rule
	Headers    Headers
	// Open returns a file's bytes; nil where they are not at hand: then what differs is compared
	// with what an origin serves that has the release's.
	Open func(f site.File) ([]byte, error)
	// Limit bounds how long the origins may take for one look, where Await is given no patience;
	// 0 leaves that to their timeouts.
	Limit time.Duration
	// Sample is how many pages to look at, picked at random; 0 for all.
	Sample int
	// Learn reads a page that differs once more: where the origin then answers something else
	// again, the page is noise and no drift.
	Learn bool
	// Excerpts shows how altered pages differ.
	Excerpts bool
	// Trust, if set, takes an origin's word that a page has not changed.
	Trust *Trust
	// Past holds who knows of the releases that were live. They are asked one after another, for
	// as long as there is a difference that nobody knows the release of.
	Past []PastFunc
	// Whole returns the manifest of a release that the origins have turned to meanwhile.
	Whole func(ctx context.Context, id site.ID) (site.Manifest, bool)
	// Waiting, if set, hears how an origin stands each time that Await has looked in vain.
	Waiting func(v diff.OriginVerdict)
	// Progress, if set, hears of each page that was judged, from several goroutines.
	Progress func(origin string, done, total int)
}

// PastFunc lists releases that were live, newest first, with the digests of the paths in of.
type PastFunc func(ctx context.Context, of []string) []site.Past

// Run looks at all origins at once. The error is only ctx's: what an origin does wrong is
// in the verdict. Where a newer release has gone live meanwhile, that is what counts, and the
// origins are looked at again.
func Run(ctx context.Context, origins []origin.Endpoint, o Options) (diff.Verdict, error) {
	return Await(ctx, origins, o, 0)
}

// maxRestarts is how many releases may go live while one check runs.
const maxRestarts = 3

// settle looks in one way or another, until no newer release has come in between. limit ends
// with the time that the origins have.
func settle(ctx context.Context, origins []origin.Endpoint, o Options, limit context.Context, look func(context.Context, *visit) error) (diff.Verdict, error) {
	began := time.Now()
	var notes []string
	for restarts := 0; ; restarts++ {
		r := newRound(origins, o, limit)
		verdict, err := r.run(ctx, look)
		if err == nil && !verdict.Agree() && restarts < maxRestarts && limit.Err() == nil {
			if next, ok := r.superseded(ctx); ok {
				notes = append(notes, fmt.Sprintf("release %s has gone live since %s: the origins are compared with that", next.Release.Short(), o.Release.Short()))
				o = next
				r.close()
				continue
			}
		}
		r.close()
		verdict.Started, verdict.Elapsed, verdict.Notes = began, time.Since(began), append(verdict.Notes, notes...)
		return verdict, err
	}
}

// round is one look at all origins for one release.
type round struct {
	options Options
	wants   []diff.Expectation
	visits  []*visit
	headers *headerBook
	story   diff.Chronicle
}

func newRound(origins []origin.Endpoint, o Options, limit context.Context) *round {
	r := &round{options: o, wants: o.expectations()}
	r.headers = newHeaderBook(o.Headers.Names, len(origins), len(r.wants))
	for i, at := range origins {
		r.visits = append(r.visits, &visit{
			at: at, index: i, client: origin.New(at), wants: o.at(at.Style, r.wants), options: o, headers: r.headers, limit: limit,
		})
	}
	for _, v := range r.visits {
		v.others = r.visits
	}
	return r
}

func (r *round) close() {
	for _, v := range r.visits {
		v.client.Close()
	}
}

// run looks at the origins, then closer at what differs.
func (r *round) run(ctx context.Context, look func(context.Context, *visit) error) (diff.Verdict, error) {
	errs := make([]error, len(r.visits))
	r.each(func(i int, v *visit) { errs[i] = look(ctx, v) })
	if err := errors.Join(errs...); err != nil {
		return r.verdict(), err
	}
	r.name(ctx)
	r.each(func(_ int, v *visit) { v.lookCloser(ctx) })
	r.judgeHeaders()
	return r.verdict(), ctx.Err()
}

func (r *round) each(do func(i int, v *visit)) {
	var all sync.WaitGroup
	for i, v := range r.visits {
		all.Go(func() { do(i, v) })
	}
	all.Wait()
}

func (r *round) verdict() diff.Verdict {
	v := diff.Verdict{Release: r.options.Release, Pages: len(r.options.Manifest)}
	if r.options.Sample > 0 && r.options.Sample < len(r.options.Manifest) {
		v.Sampled = pageCount(r.wants)
	}
	for _, at := range r.visits {
		at.verdict.Requests, at.verdict.Bytes = at.client.Counts()
		at.verdict.Noise = at.noisy()
		f := at.client.Facts()
		at.verdict.Facts = diff.Facts{Protocol: f.Protocol, TLS: f.TLS, Expires: f.Expires, HSTS: f.HSTS, Mixed: f.Mixed}
		v.Origins = append(v.Origins, at.verdict)
		if n := len(at.verdict.Noise); n > 0 && at.verdict.State() == diff.CannotBeSeen {
			v.Notes = append(v.Notes, fmt.Sprintf("%s: %d of %d pages are otherwise each time: nobody can say what it serves", at.at.Name, n, at.verdict.Pages))
		}
	}
	return v
}

// name says of what release each difference is.
func (r *round) name(ctx context.Context) {
	var past []site.Past
	for _, ask := range r.options.Past {
		nameless := r.nameless()
		if len(nameless) == 0 {
			return
		}
		past = diff.Sequence(past, ask(ctx, nameless))
		r.story = diff.NewChronicle(r.options.Release, past)
		for _, v := range r.visits {
			for i := range v.verdict.Differences {
				r.story.Name(&v.verdict.Differences[i])
			}
			v.unlearn(r.story)
		}
	}
}

// nameless lists the paths of what differs and is of no known release.
func (r *round) nameless() []string {
	var paths []string
	for _, v := range r.visits {
		for _, d := range v.verdict.Differences {
			if d.Release == site.None && d.Kind.Info().Bytes {
				paths = append(paths, d.Path)
			}
		}
		for _, n := range v.noise {
			paths = append(paths, n.answers[0].Path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// superseded returns the options for a newer release that an origin claims to serve now.
func (r *round) superseded(ctx context.Context) (Options, bool) {
	newer := r.story.Superseded()
	if len(newer) == 0 || r.options.Whole == nil {
		return Options{}, false
	}
	claims := make([]site.ID, len(r.visits))
	r.each(func(i int, v *visit) {
		if v.verdict.Err == nil {
			claims[i] = v.claim(ctx).Release
		}
	})
	for _, id := range newer {
		if !slices.Contains(claims, id) {
			continue
		}
		if m, ok := r.options.Whole(ctx, id); ok {
			return r.options.against(id, m), true
		}
	}
	return Options{}, false
}

// against looks for another release: what the one before had and it has not is to be gone.
func (o Options) against(id site.ID, m site.Manifest) Options {
	absent := slices.Clone(o.Absent)
	for _, f := range o.Manifest {
		absent = append(absent, f.Path)
	}
	slices.Sort(absent)
	o.Release, o.Manifest, o.Absent = id, m, slices.Compact(absent)
	o.Open = nil // the bytes at hand are of the release before
	return o
}
