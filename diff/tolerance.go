package diff

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// Tolerance is what a gate lets pass. It is told of all the same.
type Tolerance struct {
	Rules []Leniency
	// Unreachable is how much of an origin may go unjudged.
	Unreachable Share
	// Window is how long origins may be between two releases: what is served as in an earlier
	// release passes until the new one has been live for so long.
	Window time.Duration
	// Since is for how long the new release has been live. Negative where unknown, and
	// then nothing is between two releases.
	Since time.Duration
}

// Leniency lets differences of a kind pass.
type Leniency struct {
	Kind  Kind
	Match func(path string) bool // nil for every path
	Text  string                 // as the user wrote it
}

// Share is a count, or a part of all.
type Share struct {
	Count int
	Part  float64 // from 0 to 1, where Count is 0
}

func (s Share) of(all int) int {
	return max(s.Count, int(math.Floor(s.Part*float64(all))))
}

// Tolerate marks what t lets pass.
func (v *Verdict) Tolerate(t Tolerance) {
	for i := range v.Origins {
		o := &v.Origins[i]
		for j := range o.Differences {
			d := &o.Differences[j]
			d.Tolerated = cmp.Or(t.rule(*d), d.Tolerated) // which a quorum of places may have set
		}
		t.unreachable(o)
	}
}

// rule names the rule by which a difference passes, "" where there is none.
func (t Tolerance) rule(d Difference) string {
	for _, r := range t.Rules {
		if r.Kind == d.Kind && (r.Match == nil || d.Path != "*" && r.Match(d.Path)) {
			return r.Text
		}
	}
	if t.Window > 0 && t.Since >= 0 && t.Since <= t.Window && d.Earlier {
		return fmt.Sprintf("the release has been live for %s only", t.Since.Round(time.Second))
	}
	return ""
}

// unreachable lets an origin's unjudged pages pass where they are few enough. An origin that
// could not be seen at all has none that were judged.
func (t Tolerance) unreachable(o *OriginVerdict) {
	text := fmt.Sprintf("at most %s of an origin may be unreachable", t.Unreachable)
	if o.Err != nil {
		if t.Unreachable.Part >= 1 {
			o.Tolerated = text
		}
		return
	}
	unjudged := 0
	for _, d := range o.Differences {
		if d.Kind == Unreachable && d.Tolerated == "" {
			unjudged++
			if d.Path == "*" {
				unjudged = o.Pages
			}
		}
	}
	if unjudged > t.Unreachable.of(o.Pages) {
		return
	}
	for i, d := range o.Differences {
		if d.Kind == Unreachable && d.Tolerated == "" {
			o.Differences[i].Tolerated = text
		}
	}
}

// String shows a share as people write it.
func (s Share) String() string {
	if s.Part > 0 {
		return fmt.Sprintf("%g%%", s.Part*100)
	}
	return fmt.Sprintf("%d", s.Count)
}
