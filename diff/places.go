package diff

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/site"
)

// PlaceState is how an origin stands as one place sees it.
type PlaceState struct {
	Name     string
	State    State
	Pages    int           `json:",omitzero"` // that the place was to judge
	Match    int           `json:",omitzero"`
	Counts   map[Kind]int  `json:",omitzero"`
	Requests int64         `json:",omitzero"`
	Elapsed  time.Duration `json:",omitzero"`
	Err      string        `json:",omitzero"` // why the place saw nothing, or not all, of the origin
}

// PlaceView is what one place saw.
type PlaceView struct {
	Place   string
	Origins []OriginVerdict // in any order; those that the place was to look at
	Missing string          // why the place saw nothing at all, "" where it did
}

// JoinPlaces makes one verdict of what several places saw of the same release. A difference names the
// places that see it. One that fewer than quorum places see does not count, unless all that looked see
// it. A place that saw nothing is named in a note. base tells the release, the pages and the start.
func JoinPlaces(base Verdict, origins []string, views []PlaceView, quorum int) Verdict {
	joined := base
	joined.Origins = nil
	for _, name := range origins {
		j := originJoin{quorum: max(quorum, 1)}
		for _, view := range views {
			if i := slices.IndexFunc(view.Origins, func(o OriginVerdict) bool { return o.Name == name }); i >= 0 {
				j.seen = append(j.seen, placed{view.Place, view.Origins[i]})
			}
		}
		if len(j.seen) > 0 {
			o := j.join()
			o.Places = withMissing(o.Places, views)
			joined.Origins = append(joined.Origins, o)
		}
	}
	joined.Notes = append(slices.Clone(base.Notes), missingNotes(views)...)
	return joined
}

// withMissing adds the places that saw nothing of an origin, and says which ones have not seen all that was theirs.
func withMissing(states []PlaceState, views []PlaceView) []PlaceState {
	for _, view := range views {
		if view.Missing == "" {
			continue
		}
		i := slices.IndexFunc(states, func(s PlaceState) bool { return s.Name == view.Place })
		if i < 0 {
			states = append(states, PlaceState{Name: view.Place, State: CannotBeSeen, Err: view.Missing})
			continue
		}
		states[i].Err = cmp.Or(states[i].Err, view.Missing)
		if states[i].State == Agrees {
			states[i].State = CannotBeSeen
		}
	}
	slices.SortFunc(states, func(a, b PlaceState) int { return cmp.Compare(a.Name, b.Name) })
	return states
}

func missingNotes(views []PlaceView) (notes []string) {
	for _, view := range views {
		if view.Missing != "" {
			notes = append(notes, fmt.Sprintf("place %s is missing: %s", view.Place, view.Missing))
		}
	}
	return notes
}

// JoinShared makes one verdict of what several places saw that shared the pages: each page was looked at
// from one place. unseen is how many pages no place has looked at: they were not judged.
func JoinShared(base Verdict, origins []string, views []PlaceView, unseen int) Verdict {
	joined := base
	joined.Origins = nil
	for _, name := range origins {
		var parts []OriginVerdict
		var states []PlaceState
		for _, view := range views {
			i := slices.IndexFunc(view.Origins, func(o OriginVerdict) bool { return o.Name == name })
			if i < 0 {
				continue
			}
			o := view.Origins[i]
			o.Differences = slices.Clone(o.Differences)
			for k := range o.Differences {
				o.Differences[k].Places, o.Differences[k].LookedFrom = []string{view.Place}, 1
			}
			parts, states = append(parts, o), append(states, o.stateAt(view.Place))
		}
		v := OriginVerdict{Name: name}
		if len(parts) > 0 {
			v = JoinParts(parts)
		}
		v.Places = states
		v.addUnseen(unseen)
		v.Places = withMissing(v.Places, views)
		joined.Origins = append(joined.Origins, v)
	}
	joined.Notes = append(slices.Clone(base.Notes), missingNotes(views)...)
	return joined
}

// addUnseen says that pages were looked at from no place.
func (o *OriginVerdict) addUnseen(pages int) {
	if pages == 0 {
		return
	}
	o.Pages += pages
	detail := fmt.Sprintf("%d of %d pages were looked at from no place", pages, o.Pages)
	if len(o.Places) == 0 {
		o.Err = errors.New(detail)
		return
	}
	o.Add(Difference{Origin: o.Name, Path: wholeOrigin, URL: o.URL, Kind: Unreachable, Pages: pages, Detail: detail})
}

// placed is the verdict of one place on an origin.
type placed struct {
	place string
	OriginVerdict
}

// originJoin joins the verdicts on one origin.
type originJoin struct {
	quorum int
	seen   []placed
}

func (j originJoin) join() OriginVerdict {
	slices.SortFunc(j.seen, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
	v := j.seen[0].OriginVerdict
	v.Differences, v.Noise, v.Slowest, v.Times, v.Err, v.Places = nil, nil, nil, Times{}, nil, nil
	v.Requests, v.Bytes, v.Elapsed, v.Recovered, v.Trusted, v.Facts.Limited = 0, 0, 0, 0, 0, 0
	for _, p := range j.seen {
		v.Pages = max(v.Pages, p.Pages)
	}
	v.Match = v.Pages
	for _, p := range j.seen {
		v.addPlace(p)
	}
	slices.SortFunc(v.Slowest, func(a, b Slow) int { return cmp.Compare(b.Took, a.Took) })
	v.Slowest = v.Slowest[:min(len(v.Slowest), keepSlowest)]
	slices.Sort(v.Noise)
	v.Noise = slices.Compact(v.Noise)
	v.Times.ErrAsked, v.Times.ErrAnswered, v.Err = j.err()
	v.Differences = j.differences(v.Err == nil)
	v.sort()
	return v
}

// addPlace adds what can be added of one place's verdict.
func (o *OriginVerdict) addPlace(p placed) {
	if p.Err == nil {
		if o.Release == site.None {
			o.Release, o.Published, o.RolledBack = p.Release, p.Published, p.RolledBack
		}
		if o.Facts.Protocol == "" {
			limited := o.Facts.Limited
			o.Facts = p.Facts
			o.Facts.Limited = limited
		}
	}
	o.Match = min(o.Match, p.Match+o.Pages-p.Pages) // of what a place did not look at, others tell
	o.Requests, o.Bytes, o.Elapsed = o.Requests+p.Requests, o.Bytes+p.Bytes, max(o.Elapsed, p.Elapsed)
	o.Recovered, o.Trusted, o.Facts.Limited = o.Recovered+p.Recovered, o.Trusted+p.Trusted, o.Facts.Limited+p.Facts.Limited
	o.Noise, o.Slowest = append(o.Noise, p.Noise...), append(o.Slowest, p.Slowest...)
	o.Times.Looks = append(o.Times.Looks, p.Times.Looks...)
	o.Places = append(o.Places, p.stateAt(p.place))
}

// stateAt is how the origin stands as a place sees it.
func (o OriginVerdict) stateAt(place string) PlaceState {
	s := o.Summary()
	return PlaceState{place, s.State, s.Pages, s.Match, s.Counts, s.Requests, s.Elapsed, s.Err}
}

// err is why no place saw the origin, nil where one did.
func (j originJoin) err() (asked, answered time.Time, err error) {
	for _, p := range j.seen {
		if p.Err == nil {
			return time.Time{}, time.Time{}, nil
		}
		asked, answered = together([]Difference{
			{Asked: asked, Answered: answered}, {Asked: p.Times.ErrAsked, Answered: p.Times.ErrAnswered},
		})
	}
	if len(j.seen) == 1 {
		return asked, answered, j.seen[0].Err
	}
	return asked, answered, fmt.Errorf("from none of %d places: %w", len(j.seen), j.seen[0].Err)
}

// differences joins what the places saw. An origin that some places could not see at all is a
// difference of the whole origin, where others saw it.
func (j originJoin) differences(seen bool) []Difference {
	type key struct {
		path, location string
		kind           Kind
		got            site.Digest
		status         int
	}
	rows := map[key]*Difference{}
	for _, p := range j.seen {
		all := p.Differences
		if p.Err != nil && seen {
			all = append(slices.Clone(all), Difference{
				Origin: p.Name, Path: wholeOrigin, URL: p.URL, Kind: Unreachable, Detail: p.Err.Error(), Asked: p.Times.ErrAsked, Answered: p.Times.ErrAnswered,
			})
		}
		for _, d := range all {
			k := key{d.Path, d.Location, d.Kind, d.Got, d.Status}
			if d.Path == wholeOrigin && d.Kind == Unreachable {
				k = key{path: d.Path, kind: d.Kind} // the causes differ from place to place
			}
			row, ok := rows[k]
			if !ok {
				row = &d
				rows[k], row.LookedFrom = row, len(j.seen)
			}
			if slices.Contains(row.Places, p.place) { // two rows of one place
				continue
			}
			row.Places = append(row.Places, p.place)
			row.Asked, row.Answered = together([]Difference{*row, d})
		}
	}
	var joined []Difference
	for _, row := range rows {
		joined = append(joined, j.counted(*row))
	}
	return joined
}

// counted tells a difference that too few places see from one that counts.
func (j originJoin) counted(d Difference) Difference {
	if need := min(j.quorum, d.LookedFrom); len(d.Places) < need && d.Tolerated == "" {
		d.Tolerated = fmt.Sprintf("%d places of %d, quorum %d", len(d.Places), d.LookedFrom, need)
	}
	if from := d.SeenFrom(); from != "" && len(d.Places) < d.LookedFrom {
		d.Detail = strings.TrimSuffix(from+"; "+d.Detail, "; ")
	}
	return d
}

// maxNamedPlaces is how many places a text names.
const maxNamedPlaces = 5

// SeenFrom tells people which places see the difference, "" where one place alone looked: at 1 of 5
// places: fra.
func (d Difference) SeenFrom() string {
	if d.LookedFrom < 2 {
		return ""
	}
	if len(d.Places) == d.LookedFrom {
		return fmt.Sprintf("at all %d places", d.LookedFrom)
	}
	names := strings.Join(d.Places[:min(len(d.Places), maxNamedPlaces)], ", ")
	if n := len(d.Places) - maxNamedPlaces; n > 0 {
		names += fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("at %d of %d places: %s", len(d.Places), d.LookedFrom, names)
}
