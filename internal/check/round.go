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
			at: at, index: i, client: origin.New(at), wants: o.expectationsAt(at.Style, r.wants), options: o, headers: r.headers, limit: limit,
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
		return r.result(), err
	}
	r.name(ctx)
	r.each(func(_ int, v *visit) { v.lookCloser(ctx) })
	compareHeaders(r.visits, r.wants, r.headers, r.options.Headers.Promised)
	return r.result(), ctx.Err()
}

func (r *round) each(do func(i int, v *visit)) {
	var all sync.WaitGroup
	for i, v := range r.visits {
		all.Go(func() { do(i, v) })
	}
	all.Wait()
}

// result puts the verdicts on the origins together.
func (r *round) result() diff.Verdict {
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
