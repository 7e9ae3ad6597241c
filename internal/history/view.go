package history

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"time"

	"mirror/diff"
	"mirror/site"
)

// view is what one check saw of one origin, as episodes are made of.
type view struct {
	origin   string
	answered bool                 // the origin as a whole
	looks    diff.Looks           // when its pages were asked for and answered
	unjudged map[string]bool      // paths that could not be judged, counted or not
	kinds    map[diff.Kind]*drift // that were seen
}

// drift is all that one check saw of one kind.
type drift struct {
	pages     int
	paths     []string // in order
	signature site.Digest
	first     diff.Difference
	excerpt   string
	// It had begun by answered, and was not over at asked; see diff.Difference.
	asked, answered time.Time
}

// viewOf gathers what a check that began at an instant saw of o. Where times do not tell when it
// asked for a page, that instant counts.
func viewOf(at time.Time, times diff.Times, o diff.OriginState, all []diff.Difference) view {
	v := view{origin: o.Name, answered: o.Err == "", looks: times.Looks, unjudged: map[string]bool{}, kinds: map[diff.Kind]*drift{}}
	pages := o.Pages
	asked, answered := v.looks.Of(everywhere)
	if asked.IsZero() {
		v.looks, asked, answered = looksAt(at, at), at, at
	}
	if !v.answered && o.State != diff.Agrees { // else its absence is tolerated
		whole := diff.Difference{
			Origin: o.Name, Path: everywhere, Kind: diff.Unreachable, URL: o.URL, Detail: o.Err, Asked: times.ErrAsked, Answered: times.ErrAnswered,
		}
		v.kinds[diff.Unreachable] = driftOf([]diff.Difference{whole}, pages, asked, answered)
	}
	byKind := map[diff.Kind][]diff.Difference{}
	for _, d := range all {
		if d.Origin != o.Name || !v.answered {
			continue
		}
		if d.Kind == diff.Unreachable {
			v.unjudged[d.Path] = true
		}
		if d.Tolerated == "" {
			byKind[d.Kind] = append(byKind[d.Kind], d)
		}
	}
	for kind, found := range byKind {
		v.kinds[kind] = driftOf(found, pages, asked, answered)
	}
	return v
}

// driftOf sums up differences of one kind, at least one. A difference that stands for every
// page counts as so many. One that does not tell when its page was asked for and answered was seen
// between two instants.
func driftOf(found []diff.Difference, pages int, asked, answered time.Time) *drift {
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b diff.Difference) int { return cmp.Compare(a.Path, b.Path) })
	d := &drift{first: found[0]}
	h := sha256.New()
	for _, one := range found {
		d.time(one, asked, answered)
		if n := len(d.paths); n > 0 && d.paths[n-1] == one.Path {
			continue // two headers of one page, say
		}
		d.paths = append(d.paths, one.Path)
		h.Write([]byte(one.Path))
		h.Write([]byte{0})
		d.excerpt = cmp.Or(d.excerpt, one.Excerpt)
		if one.Path == everywhere {
			d.pages += max(0, pages-1)
		}
		d.pages++
	}
	copy(d.signature[:], h.Sum(nil))
	return d
}

// time takes in when a difference was seen.
func (d *drift) time(one diff.Difference, asked, answered time.Time) {
	if !one.Asked.IsZero() {
		asked, answered = one.Asked, one.Answered
	}
	d.asked = later(d.asked, asked)
	if d.answered.IsZero() || answered.Before(d.answered) {
		d.answered = answered
	}
}

// gone returns by when the pages of an episode were seen without it. known are its paths, all of
// them if complete.
func (v view) gone(known []string, complete bool) time.Time {
	if !complete {
		known = []string{everywhere}
	}
	_, answered := v.looks.Of(known...)
	return answered
}

// whole reports whether the origin answered for every page.
func (v view) whole() bool { return v.answered && len(v.unjudged) == 0 }

// without reports whether the check shows that an episode of a kind has ended: it was looked
// for where it was, and not found. known are its paths, all of them if complete.
func (v view) without(kind diff.Kind, known []string, complete bool) bool {
	switch {
	case !v.answered || v.kinds[kind] != nil:
		return false
	case len(v.unjudged) == 0:
		return true
	case kind == diff.Unreachable: // what still cannot be judged is tolerated
		return false
	}
	return complete && !v.unjudged[everywhere] && !slices.Contains(known, everywhere) &&
		!slices.ContainsFunc(known, func(path string) bool { return v.unjudged[path] })
}
