package diff

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"mirror/site"
)

// Verdict is what one check found.
type Verdict struct {
	Release site.ID // that every origin was compared with; None where they were compared with each other
	Pages   int     // of the release, or found on the origins
	Sampled int     // how many of the pages were looked at, where that was a random sample; else 0
	Started time.Time
	Elapsed time.Duration
	Origins []OriginVerdict
	Notes   []string // what people should know beside it, a line each
	Nowhere int      // of Pages, which no origin has: compared with nothing, and none of any origin's
	Closed  int      // of Pages, which every origin refuses to show, the same way
	// Unmanaged: Release is a built site that no config has targets for, so `mirror publish` is no way out.
	Unmanaged bool
}

// keepSlowest is how many of the slowest pages a verdict names.
const keepSlowest = 5

// State is that of all origins together. Where none of them answered they could not be seen,
// whatever is tolerated.
func (v Verdict) State() State {
	var states []State
	for _, o := range v.Origins {
		states = append(states, o.State())
	}
	state := Worst(states...)
	if state == Agrees && !v.seen() || state == "" {
		return CannotBeSeen
	}
	return state
}

// Agree reports whether every origin was seen whole and serves the release.
func (v Verdict) Agree() bool { return v.State() == Agrees }

// seen reports whether any origin answered: without any answer the origins never agree, whatever is tolerated.
func (v Verdict) seen() bool {
	return slices.ContainsFunc(v.Origins, func(o OriginVerdict) bool { return o.Err == nil })
}

// Drifted reports whether some origin was seen to differ.
func (v Verdict) Drifted() bool { return v.State() == Drifts }

// Behind reports whether an origin answered, and its beacon names another release than every origin was
// compared with.
func (v Verdict) Behind(origin string) bool {
	return slices.ContainsFunc(v.Origins, func(o OriginVerdict) bool {
		return o.Name == origin && o.State() == Drifts && o.Release != v.Release
	})
}

// Alike reports whether the origins, whatever the release says, all serve the same: each
// answered, and where one differs from the release all differ in the same way.
func (v Verdict) Alike() bool {
	if len(v.Origins) == 0 {
		return false
	}
	first := v.Origins[0]
	return !slices.ContainsFunc(v.Origins, func(o OriginVerdict) bool {
		return o.State() == CannotBeSeen || !slices.EqualFunc(first.Differences, o.Differences, alike)
	})
}

func alike(a, b Difference) bool {
	return a.Path == b.Path && a.Kind == b.Kind && a.Got == b.Got && a.Status == b.Status && a.Kind != Unreachable
}

// Tally gathers what one origin answered into its verdict.
type Tally struct {
	pages, match, answers int
	trusted, recovered    int
	slowest               []Slow
	onPages, beside       []Difference
	unknown               int // status of the answer for a path that never existed, 0 while there is none
	soft                  softAbsence
	refusals              []refusal // of removed paths: what they say is known at the end
	err                   error
}

// refusal is an answer for a removed path of which only the origin's other answers tell what
// it says.
type refusal struct {
	want Expectation
	o    site.Observation
}

// Add judges an answer and reports whether it agrees with the release.
func (t *Tally) Add(want Expectation, o site.Observation) bool {
	if o.Status != 0 {
		t.answers++
	} else if t.err == nil {
		t.err = o.Err
	}
	d, ok := Judge(want, o)
	if ok && o.Recovered {
		t.recovered++
	}
	isPage := !want.Absent && !want.NotFound && !want.Folder
	if want.NotFound {
		t.unknown = o.Status
		t.soft = softAbsenceOf(want, o)
	}
	if isPage {
		t.pages++
		t.time(Slow{want.File.Path, o.Answered.Sub(o.Asked)})
	}
	switch {
	case ok && isPage:
		t.match++
	case ok:
	case want.Absent && IsRefusal(o.Status):
		t.refusals = append(t.refusals, refusal{want, o})
	case isPage:
		t.onPages = append(t.onPages, d)
	default:
		t.beside = append(t.beside, d)
	}
	return ok
}

func (t *Tally) time(s Slow) {
	if len(t.slowest) == keepSlowest && s.Took <= t.slowest[keepSlowest-1].Took {
		return
	}
	at, _ := slices.BinarySearchFunc(t.slowest, s, func(a, b Slow) int { return cmp.Compare(b.Took, a.Took) })
	t.slowest = slices.Insert(t.slowest, at, s)
	t.slowest = t.slowest[:min(len(t.slowest), keepSlowest)]
}

// Trust counts a page that the origin says has not changed since it was verified.
func (t *Tally) Trust() {
	t.answers++
	t.pages++
	t.match++
	t.trusted++
}

// Put counts a page that was answered with a difference that was judged elsewhere.
func (t *Tally) Put(d Difference) {
	t.Skip()
	t.onPages = append(t.onPages, d)
}

// Skip counts a page that was answered and is not judged.
func (t *Tally) Skip() {
	t.answers++
	t.pages++
}

// refused judges the refusals of removed paths by what the origin answered beside them.
func (t *Tally) refused() {
	for _, r := range t.refusals {
		removed := r.want.removed()
		removed.Absence = Absence{Unknown: t.unknown, Serves: t.match > 0}
		r.want.Removed = &removed
		if d, ok := Judge(r.want, r.o); !ok {
			t.beside = append(t.beside, d)
		}
	}
	t.refusals = nil
}

// withheld makes pages missing to which an origin that serves others answers 401 or 403:
// that is how servers say that a folder has no index, and buckets that a key is not there.
func withheld(diffs []Difference, match int) []Difference {
	for i, d := range diffs {
		if match > 0 && d.Kind == Unreachable && (d.Status == http.StatusUnauthorized || d.Status == http.StatusForbidden) {
			diffs[i].Kind = Missing
		}
	}
	return diffs
}

// Verdict returns the origin's verdict; the caller adds what only it knows. An origin that
// answered nothing at all has an error in place of a difference for every page.
func (t *Tally) Verdict(name, url string) OriginVerdict {
	v := OriginVerdict{Name: name, URL: url, Pages: t.pages, Match: t.match, Trusted: t.trusted, Recovered: t.recovered, Slowest: t.slowest}
	if t.answers == 0 && t.err != nil {
		v.Err = t.err
		return v
	}
	t.refused()
	onPages := t.soft.name(Everywhere(withheld(t.onPages, t.match), t.pages))
	v.Differences = append(onPages, besideEverywhere(onPages, t.beside)...)
	for i := range v.Differences {
		v.Differences[i].Origin = name
	}
	v.sort()
	return v
}
