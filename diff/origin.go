package diff

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"mirror/site"
)

// OriginVerdict is what a check found of one origin.
type OriginVerdict struct {
	Name, URL   string
	Release     site.ID   // what the origin's beacon claims, None where it claims nothing
	Published   time.Time // when that went live, as the beacon has it
	RolledBack  bool      // the beacon says that an earlier release was put live again
	Pages       int       // that were to be judged
	Match       int       // that agree
	Requests    int64
	Bytes       int64 // of bodies, as sent
	Elapsed     time.Duration
	Differences []Difference // by path
	Noise       []string     // paths at which the origin answers something else each time; none of its differences
	Recovered   int          // pages that were answered otherwise at first, and rightly when asked again
	Trusted     int          // pages that the origin said had not changed since they were verified
	Facts       Facts
	Slowest     []Slow // the pages that took longest, the slowest first
	Err         error  // why the origin as a whole could not be seen
	Tolerated   string // the rule by which Err does not count, "" where it counts
	Times       Times
	Places      []PlaceState // what each place saw, by name; nil where one place alone looked
}

// OriginState is what a check found of one origin, without the single differences: what the
// history stores, every report says and the dashboard shows. A datum that is added here is
// stored without more ado; the reports say what they have a field for.
type OriginState struct {
	Name         string        `json:",omitzero"`
	URL          string        `json:",omitzero"`
	State        State         `json:",omitzero"`
	Release      site.ID       `json:",omitzero"` // that the beacon claims
	Published    time.Time     `json:",omitzero"` // when that went live, as the beacon has it
	RolledBack   bool          `json:",omitzero"` // the beacon says that an earlier release was put live again
	Pages        int           `json:",omitzero"`
	Match        int           `json:",omitzero"`
	Requests     int64         `json:",omitzero"`
	Bytes        int64         `json:",omitzero"`
	Elapsed      time.Duration `json:",omitzero"`
	Counts       map[Kind]int  `json:",omitempty"` // of differences that count
	Tolerated    int           `json:",omitzero"`  // differences that do not
	Noise        []string      `json:",omitempty"`
	Recovered    int           `json:",omitzero"`
	Trusted      int           `json:",omitzero"`
	Facts        Facts         `json:",omitzero"`
	Slowest      []Slow        `json:",omitempty"`
	Err          string        `json:",omitzero"` // why the origin as a whole could not be seen
	ErrTolerated string        `json:",omitzero"` // the rule by which Err does not count
	Places       []PlaceState  `json:",omitempty"`
}

// Summary is the origin without its single differences.
func (o OriginVerdict) Summary() OriginState {
	s := OriginState{
		Name: o.Name, URL: o.URL, State: o.State(), Release: o.Release, Published: o.Published, RolledBack: o.RolledBack, Pages: o.Pages, Match: o.Match,
		Requests: o.Requests, Bytes: o.Bytes, Elapsed: o.Elapsed, Counts: map[Kind]int{}, Noise: o.Noise, Recovered: o.Recovered,
		Trusted: o.Trusted, Facts: o.Facts, Slowest: o.Slowest, Places: o.Places,
	}
	for _, d := range o.Differences {
		if d.Tolerated == "" {
			s.Counts[d.Kind] += d.pages()
		} else {
			s.Tolerated += d.pages()
		}
	}
	if o.Err != nil {
		s.Err, s.ErrTolerated = cmp.Or(o.Err.Error(), "no cause is known"), o.Tolerated
	}
	return s
}

// Slow is how long one page took to be read.
type Slow struct {
	Path string
	Took time.Duration
}

// State tells how the origin stands. Drift outweighs what could not be judged.
func (o OriginVerdict) State() State {
	state := Agrees
	if o.Err != nil && o.Tolerated == "" || o.noisy() {
		state = CannotBeSeen
	}
	for _, d := range o.Differences {
		if d.Tolerated == "" {
			state = Worst(state, d.Kind.state())
		}
	}
	return state
}

// state is that of an origin with such a difference.
func (k Kind) state() State {
	if k == Unreachable {
		return CannotBeSeen
	}
	return Drifts
}

// noisy reports whether so much of an origin is noise that what it serves cannot be judged.
func (o OriginVerdict) noisy() bool { return len(o.Noise) > 0 && 2*len(o.Noise) >= o.Pages }

// Counts tells how many differences there are of each kind; one that stands for many pages counts as so many.
func (o OriginVerdict) Counts() map[Kind]int {
	counts := map[Kind]int{}
	for _, d := range o.Differences {
		counts[d.Kind] += d.pages()
	}
	return counts
}

// Add adds a difference in its place.
func (o *OriginVerdict) Add(d Difference) {
	o.Differences = append(o.Differences, d)
	o.sort()
}

func (o *OriginVerdict) sort() {
	slices.SortStableFunc(o.Differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
	})
}

// AddHeaders adds the pages at which an origin sends one header otherwise; they matched in
// all else. Where that is every page, one difference stands for all.
func (o *OriginVerdict) AddHeaders(found []Difference) {
	if len(found) == 0 {
		return
	}
	pages := map[string]bool{}
	for _, d := range o.Differences {
		pages[d.Path] = d.Kind == Headers
	}
	for _, d := range found {
		if !pages[d.Path] {
			o.Match--
		}
	}
	if len(found) > 1 && len(found) == o.Pages && !slices.ContainsFunc(found, func(d Difference) bool { return d.Detail != found[0].Detail }) {
		one := found[0]
		one.Path, one.Want, one.Got, one.Pages = wholeOrigin, site.Digest{}, site.Digest{}, o.Pages
		one.Asked, one.Answered = together(found)
		one.Detail = fmt.Sprintf("on all %d pages: %s", o.Pages, one.Detail)
		found = []Difference{one}
	}
	o.Differences = append(o.Differences, found...)
	o.sort()
}

// Overtaken reports whether an origin serves bytes of a release that has gone live since.
func (v Verdict) Overtaken() bool {
	return slices.ContainsFunc(v.Origins, func(o OriginVerdict) bool {
		return slices.ContainsFunc(o.Differences, func(d Difference) bool { return d.Behind < 0 })
	})
}

// NameRollback tells what the origin serves of the release that it was rolled back to from what is
// stale: that is served on purpose.
func (o *OriginVerdict) NameRollback() {
	if !o.RolledBack {
		return
	}
	for i := range o.Differences {
		d := &o.Differences[i]
		if d.Release != o.Release || d.Tolerated != "" && d.Behind >= 0 {
			continue
		}
		if d.Kind == Stale {
			d.Kind, d.Behind = Altered, 0
		}
		d.Detail = "rolled back to release " + d.Release.Short()
	}
}
