package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/site"
)

// round reads all origins for one release.
type round struct {
	options Options
	wants   []diff.Expectation
	visits  []*visit
	headers *headerBook
	known   diff.Chronicle // the releases that were live
}

func newRound(limit context.Context, origins []origin.Endpoint, o Options) *round {
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

// run reads the origins, then tells more of what differs.
func (r *round) run(ctx context.Context, read func(context.Context, *visit) error) (diff.Verdict, error) {
	errs := make([]error, len(r.visits))
	r.each(func(i int, v *visit) { errs[i] = read(ctx, v) })
	if err := errors.Join(errs...); err != nil {
		return r.result(), err
	}
	r.name(ctx)
	for _, v := range r.visits {
		v.verdict.NameRollback()
	}
	r.each(func(_ int, v *visit) { v.explain(ctx) })
	judgeHeaders(r.wants, r.visits, r.headers, r.options.Headers.Expected)
	return r.result(), ctx.Err()
}

func (r *round) each(do func(i int, v *visit)) {
	var all sync.WaitGroup
	for i, v := range r.visits {
		all.Go(func() { do(i, v) })
	}
	all.Wait()
}

func (r *round) result() diff.Verdict {
	v := diff.Verdict{Release: r.options.Release, Pages: len(r.options.Manifest)}
	if r.options.Sample > 0 && r.options.Sample < len(r.options.Manifest) {
		v.Sampled = pageCount(r.wants)
	}
	for _, at := range r.visits {
		survey.Measure(at.client, &at.verdict)
		at.verdict.Noise = pathsOf(at.noise)
		v.Origins = append(v.Origins, at.verdict)
		if note := survey.LimitNote(at.client, "check.rate"); note != "" {
			v.Notes = append(v.Notes, note)
		}
		if n := len(at.verdict.Noise); n > 0 && at.verdict.State() == diff.CannotBeSeen {
			v.Notes = append(v.Notes, fmt.Sprintf("%s: %d of %d pages differ on every request, so what it serves cannot be judged", at.at.Name, n, at.verdict.Pages))
		}
	}
	return v
}

// name says of what release each difference is.
func (r *round) name(ctx context.Context) {
	var past []site.Past
	for _, ask := range r.options.Past {
		nameless := r.nameless()
		if len(nameless) == 0 && !r.mayBeOvertaken(past) {
			return
		}
		past = diff.Sequence(past, ask(ctx, nameless))
		r.known = diff.NewChronicle(r.options.Release, past)
		for _, v := range r.visits {
			for i := range v.verdict.Differences {
				r.known.Name(&v.verdict.Differences[i])
			}
			var stale []diff.Difference
			v.noise, stale = split(v.noise, r.known, v.at.Name)
			for _, d := range stale {
				v.verdict.Add(d)
			}
		}
	}
}

// mayBeOvertaken reports whether an origin claims another release that went live after ours, and past does
// not know that: it may have been rolled back, or published again, from another machine.
func (r *round) mayBeOvertaken(past []site.Past) bool {
	at := func(id site.ID) int {
		return slices.IndexFunc(past, func(p site.Past) bool { return p.Release == id })
	}
	ours := at(r.options.Release)
	return slices.ContainsFunc(r.visits, func(v *visit) bool {
		claimed := v.verdict.Release
		if claimed == site.None || claimed == r.options.Release || len(v.verdict.Differences) == 0 {
			return false
		}
		theirs := at(claimed)
		later := ours >= 0 && v.verdict.Published.After(past[ours].Published)
		return (v.verdict.RolledBack || later) && (ours < 0 || theirs < 0 || theirs > ours)
	})
}

// nameless lists the paths of what differs and is of no known release.
func (r *round) nameless() []string {
	var paths []string
	for _, v := range r.visits {
		for _, d := range v.verdict.Differences {
			if d.Release == site.None && d.Nameable() {
				paths = append(paths, d.Path)
			}
		}
		for _, n := range v.noise {
			paths = append(paths, n[0].Path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// superseded returns the options for a release that has gone live since, and that an origin claims to serve
// now. back says that it was live before, too, as the origin claims.
func (r *round) superseded(ctx context.Context) (next Options, back, ok bool) {
	newer := r.known.Superseded()
	if len(newer) == 0 || r.options.Whole == nil {
		return Options{}, false, false
	}
	claims := make([]site.Beacon, len(r.visits))
	r.each(func(i int, v *visit) {
		if v.verdict.Err == nil {
			claims[i] = v.claim(ctx)
		}
	})
	for _, id := range newer {
		claimed := slices.IndexFunc(claims, func(b site.Beacon) bool { return b.Release == id })
		if claimed < 0 {
			continue
		}
		if m, ok := r.options.Whole(ctx, id); ok {
			return r.options.against(id, m), claims[claimed].Rollback, true
		}
	}
	return Options{}, false, false
}
