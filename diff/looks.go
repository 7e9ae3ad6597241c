package diff

import "time"

// maxLooks bounds how many a Looks holds.
const maxLooks = 64

// wholeOrigin is the path that stands for every page.
const wholeOrigin = "*"

// Looks tells when the pages of one origin were asked for and answered. It stays small: of a site
// with more pages than maxLooks, pages that follow each other share one Look.
type Looks []Look

// Times tells when a check looked at an origin.
type Times struct {
	Looks Looks // at its pages
	// ErrAsked and ErrAnswered are as Difference.Asked and Answered, of an origin that could not be
	// seen as a whole.
	ErrAsked, ErrAnswered time.Time
}

// Look is when the pages from one path to another were looked at: none was asked for before Asked,
// and each had its answer by Answered.
type Look struct {
	From, To        string
	Asked, Answered time.Time
}

// Note takes down the look at the i-th of n pages. The indexes say which pages are neighbours.
func (ls *Looks) Note(i, n int, path string, asked, answered time.Time) {
	if *ls == nil {
		*ls = make(Looks, min(max(n, 1), maxLooks))
	}
	l := &(*ls)[i*len(*ls)/max(n, 1)]
	if l.Asked.IsZero() {
		*l = Look{path, path, asked, answered}
		return
	}
	l.From, l.To = min(l.From, path), max(l.To, path)
	l.extend(Look{Asked: asked, Answered: answered})
}

func (l *Look) extend(other Look) {
	if other.Asked.Before(l.Asked) {
		l.Asked = other.Asked
	}
	if other.Answered.After(l.Answered) {
		l.Answered = other.Answered
	}
}

// Holds reports whether the look may be of a path.
func (l Look) Holds(path string) bool { return path == wholeOrigin || l.From <= path && path <= l.To }

// Of returns when the first of some pages was asked for and the last of them was answered, the
// zero times where no page was looked at. Of a path that is not among the pages it takes all pages.
func (ls Looks) Of(paths ...string) (asked, answered time.Time) {
	var all Look
	for _, path := range paths {
		known := false
		for _, l := range ls {
			if !l.Asked.IsZero() && l.Holds(path) {
				all.join(l)
				known = true
			}
		}
		if !known && path != wholeOrigin {
			return ls.Of(wholeOrigin)
		}
	}
	return all.Asked, all.Answered
}

func (l *Look) join(other Look) {
	if l.Asked.IsZero() {
		*l = other
		return
	}
	l.extend(other)
}

// together returns when the first of several differences was answered, and when the last was asked
// for; see Difference.Asked.
func together(found []Difference) (asked, answered time.Time) {
	for _, d := range found {
		if d.Asked.After(asked) {
			asked = d.Asked
		}
		if !d.Answered.IsZero() && (answered.IsZero() || d.Answered.Before(answered)) {
			answered = d.Answered
		}
	}
	return asked, answered
}
