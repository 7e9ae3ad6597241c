package diff

import (
	"cmp"
	"fmt"
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
}

// OriginVerdict is what a check found of one origin.
type OriginVerdict struct {
	Name, URL   string
	Release     site.ID   // what the origin's beacon claims, None where it claims nothing
	Published   time.Time // when that went live, as the beacon has it
	Pages       int       // that were to be judged
	Match       int       // that agree
	Requests    int64
	Bytes       int64 // of bodies, as sent
	Elapsed     time.Duration
	Differences []Difference // by path
	Noise       []string     // paths at which the origin answers something else each time; none of its differences
	Wavered     int          // pages that were answered otherwise at first, and rightly when asked again
	Trusted     int          // pages that the origin said had not changed since they were verified
	Facts       Facts
	Slowest     []Slow // the pages that took longest, the slowest first
	Err         error  // why the origin as a whole could not be seen
	Tolerated   string // the rule by which Err does not count, "" where it counts
}

// Facts is what is worth knowing of how an origin serves, beside what it serves.
type Facts struct {
	Protocol string    // of HTTP, as in "HTTP/2.0"; "" where nothing answered
	TLS      string    // version, as in "TLS 1.3"; "" for plain http
	Expires  time.Time // of the certificate; zero for plain http
	HSTS     string    // the Strict-Transport-Security header (RFC 6797)
	Mixed    int       // http:// resources that https pages embed, counted over all pages
	Hosts    int       // absolute links to an origin's own host that were taken for relative ones
}

// Slow is how long one page took to be read.
type Slow struct {
	Path string
	Took time.Duration
}

// keepSlowest is how many of the slowest pages a verdict names.
const keepSlowest = 5

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

// noisy reports whether so much of an origin is noise that nobody can say what it serves.
func (o OriginVerdict) noisy() bool { return len(o.Noise) > 0 && 2*len(o.Noise) >= o.Pages }

// Counts tells how many differences there are of each kind.
func (o OriginVerdict) Counts() map[Kind]int {
	counts := map[Kind]int{}
	for _, d := range o.Differences {
		counts[d.Kind]++
	}
	return counts
}

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

// seen reports whether any origin answered: what nobody saw never agrees, whatever is tolerated.
func (v Verdict) seen() bool {
	return slices.ContainsFunc(v.Origins, func(o OriginVerdict) bool { return o.Err == nil })
}

// Drifted reports whether some origin was seen to differ.
func (v Verdict) Drifted() bool { return v.State() == Drifts }

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
	trusted, wavered      int
	slowest               []Slow
	onPages, beside       []Difference
	unknown               int       // status of the answer for a path that never existed, 0 while there is none
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
	if ok && o.Wavered {
		t.wavered++
	}
	isPage := !want.Absent && !want.NotFound && !want.Folder
	if want.NotFound {
		t.unknown = o.Status
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
	v := OriginVerdict{Name: name, URL: url, Pages: t.pages, Match: t.match, Trusted: t.trusted, Wavered: t.wavered, Slowest: t.slowest}
	if t.answers == 0 && t.err != nil {
		v.Err = t.err
		return v
	}
	t.refused()
	onPages := Everywhere(withheld(t.onPages, t.match), t.pages)
	v.Differences = append(onPages, besideEverywhere(onPages, t.beside)...)
	for i := range v.Differences {
		v.Differences[i].Origin = name
	}
	v.sort()
	return v
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
		one.Path, one.Want, one.Got = "*", site.Digest{}, site.Digest{}
		one.Detail = fmt.Sprintf("on all %d pages: %s", o.Pages, one.Detail)
		found = []Difference{one}
	}
	o.Differences = append(o.Differences, found...)
	o.sort()
}
