package reports

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
	"mirror/site"
)

// Window is the document of `mirror watch`, and what publish says of its own change.
type Window struct {
	Schema  string         `json:"schema"` // mirror.window/v1
	Closed  bool           `json:"closed"`
	Lower   Millis         `json:"lower_ms"`
	Upper   *Millis        `json:"upper_ms"` // null while the window is open: nothing bounds it
	Pages   int            `json:"pages"`
	Origins []WindowOrigin `json:"origins"`
	Fresh   []Fresh        `json:"fresh"`
	// Atomic is what the bounds would be if each target that declares its commits atomic
	// kept to it; null where none does.
	Atomic *Span `json:"if_atomic"`
	// Places are what each place saw by itself, where the window was watched from several. The figures above are
	// of all places together.
	Places []WindowPlace `json:"places,omitempty"`
	// Fronts is how far apart the fronts moved to the release; absent where fewer than two did.
	Fronts *FrontGap `json:"fronts,omitempty"`
	// Notes are for people: what slowed the watch.
	Notes []string `json:"notes,omitempty"`
	Ending
}

// WindowOrigin is one origin in a Window.
type WindowOrigin struct {
	Name      string `json:"name"`
	Front     bool   `json:"front,omitempty"` // a mirror front over the other origins
	FirstNew  Bounds `json:"first_new"`
	AllNew    Bounds `json:"all_new"`
	Reversals int    `json:"reversals"`
	Polls     int    `json:"polls"`
	Flaps     bool   `json:"flaps"`
	Open      int    `json:"open"` // pages that are not confirmed
	// Pages is how many of the watched pages change at this origin. Unchanged says that none
	// turned there: none changes, or all were new before. Its bounds then are the beginning of
	// the watch, and are no part of the window's.
	Pages     int  `json:"pages,omitempty"`
	Unchanged bool `json:"unchanged,omitempty"`
	// Behind is when the origin behind its caches showed all; null where it has none.
	Behind *Bounds `json:"behind_caches"`
}

// WindowPlace is what one place saw of a Window.
type WindowPlace struct {
	Name    string  `json:"name"`
	Missing string  `json:"missing,omitempty"` // why what it saw is no part of the window
	Closed  bool    `json:"closed"`
	Lower   Millis  `json:"lower_ms"`
	Upper   *Millis `json:"upper_ms"`  // null while it is open, and where the place is missing
	Offset  Millis  `json:"offset_ms"` // how much a bound of the place is not known at most, because its clock is another one
}

// FrontGap is the time from the first move of several fronts to a release to the last one.
type FrontGap struct {
	Names []string `json:"names"`
	Lower Millis   `json:"lower_ms"`
	Upper *Millis  `json:"upper_ms"` // null while a front has not been seen to have moved
}

// Bounds enclose an instant; before is null while it was not seen.
type Bounds struct {
	After  time.Time  `json:"after"`
	Before *time.Time `json:"before"`
}

// Span is a length between two bounds.
type Span struct {
	Lower Millis `json:"lower_ms"`
	Upper Millis `json:"upper_ms"`
}

// Fresh is a point of the t-visibility curve.
type Fresh struct {
	T Millis  `json:"t_ms"`
	P float64 `json:"p"`
}

// WindowOf makes the document of a window.
func WindowOf(w diff.Window) Window {
	doc := Window{Schema: "mirror.window/v1", Closed: w.Closed, Lower: Millis(w.Lower), Pages: w.Pages, Origins: []WindowOrigin{}, Fresh: []Fresh{}}
	if w.Closed {
		upper := Millis(w.Upper)
		doc.Upper = &upper
	}
	for _, o := range w.Origins {
		row := WindowOrigin{
			Name: o.Name, Front: o.Front, FirstNew: boundsOf(o.FirstNew), AllNew: boundsOf(o.AllNew),
			Reversals: o.Reversals, Polls: o.Polls, Flaps: o.Flaps, Open: len(o.Open), Pages: o.Pages, Unchanged: o.Unchanged,
		}
		if o.Behind != nil {
			behind := boundsOf(*o.Behind)
			row.Behind = &behind
		}
		doc.Origins = append(doc.Origins, row)
	}
	for _, f := range w.Fresh {
		doc.Fresh = append(doc.Fresh, Fresh{Millis(f.T), f.P})
	}
	if w.Atomic != nil {
		doc.Atomic = &Span{Millis(w.Atomic.Lower), Millis(w.Atomic.Upper)}
	}
	for _, p := range w.Places {
		doc.Places = append(doc.Places, placeOf(p))
	}
	doc.Fronts = frontGapOf(w)
	return doc
}

func frontGapOf(w diff.Window) *FrontGap {
	gap, ok := w.FrontGap()
	if !ok {
		return nil
	}
	doc := &FrontGap{Names: gap.Fronts, Lower: Millis(gap.Lower)}
	if !gap.Open {
		upper := Millis(gap.Upper)
		doc.Upper = &upper
	}
	return doc
}

// Apart is how far apart the fronts moved, for people.
func (g FrontGap) Apart() string {
	if g.Upper == nil {
		return "at least " + atLeast(g.Lower)
	}
	return atLeast(g.Lower) + " to " + atMost(*g.Upper)
}

func placeOf(p diff.PlaceWindow) WindowPlace {
	doc := WindowPlace{Name: p.Place, Missing: p.Missing, Closed: p.Closed, Lower: Millis(p.Lower), Offset: Millis(p.Offset)}
	if p.Closed && p.Missing == "" {
		upper := Millis(p.Upper)
		doc.Upper = &upper
	}
	return doc
}

func boundsOf(b diff.Bounds) Bounds {
	doc := Bounds{After: b.After}
	if !b.Before.IsZero() {
		doc.Before = &b.Before
	}
	return doc
}

// Text writes the window for people: each origin's turn, counted from the first instant
// at which anything new can have been seen.
func (d Window) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	if err := d.warn(w, s); err != nil {
		return err
	}
	for _, note := range d.Notes {
		fmt.Fprintf(w, "%s: %s\n", s.paint(yellow, "note"), clean(note))
	}
	if d.Pages == 0 {
		_, err := fmt.Fprintln(w, "No page that can be watched changed, so there was no window to measure.")
		return err
	}
	zero := d.zero()
	t := s.table(w, "origin", "first new", "all new", "reversals", "polls", "open")
	for _, o := range d.Origins {
		first, all := o.turn(zero)
		t.row(clean(o.Name), first, all, strconv.Itoa(o.Reversals), strconv.Itoa(o.Polls), strconv.Itoa(o.Open))
	}
	if err := t.render(); err != nil {
		return err
	}
	if err := d.placesTable(w, s); err != nil {
		return err
	}
	if d.Fronts != nil {
		fmt.Fprintf(w, "The fronts (%s) moved to the release %s apart.\n", clean(strings.Join(d.Fronts.Names, ", ")), d.Fronts.Apart())
	}
	_, err := fmt.Fprintln(w, d.summary(s))
	return err
}

// placesTable writes what each place saw by itself, where there are several.
func (d Window) placesTable(w io.Writer, s Style) error {
	if len(d.Places) == 0 {
		return nil
	}
	t := s.table(w, "place", "window seen from there", "clock known to")
	for _, p := range d.Places {
		t.row(clean(p.Name), p.Seen(), p.Known())
	}
	return t.render()
}

// Seen is what the place saw of the window, for people.
func (p WindowPlace) Seen() string {
	switch {
	case p.Missing != "":
		return "not counted: " + clean(p.Missing)
	case p.Upper == nil:
		return "open, at least " + atLeast(p.Lower)
	}
	return atLeast(p.Lower) + " to " + atMost(*p.Upper)
}

// Known is how exactly the clock of the place is known, for people.
func (p WindowPlace) Known() string {
	if p.Missing != "" || p.Offset == 0 {
		return ""
	}
	return "±" + atMost(p.Offset/2)
}

// zero is the earliest instant at which an origin can have shown something new.
func (d Window) zero() (zero time.Time) {
	for _, o := range d.Origins {
		if !o.Unchanged && (zero.IsZero() || o.FirstNew.After.Before(zero)) {
			zero = o.FirstNew.After
		}
	}
	return zero
}

// turn writes when an origin turned.
func (o WindowOrigin) turn(zero time.Time) (first, all string) {
	if o.Unchanged {
		return "no change", "no change"
	}
	first, all = o.FirstNew.since(zero), o.AllNew.since(zero)
	if o.Behind != nil {
		all += " (behind its caches " + o.Behind.since(zero) + ")"
	}
	return first, all
}

func (b Bounds) since(zero time.Time) string {
	after := atLeast(Millis(b.After.Sub(zero)))
	if b.Before == nil {
		return "after " + after
	}
	return after + " to " + atMost(Millis(b.Before.Sub(zero)))
}

func (d Window) summary(s Style) string {
	if !d.Closed {
		var late []string
		for _, o := range d.Origins {
			if o.Open > 0 {
				late = append(late, fmt.Sprintf("%s (%s)", clean(o.Name), humanize.Plural(o.Open, "page")))
			}
		}
		return s.paint(red, fmt.Sprintf("The window is still open, after at least %s: %s.", atLeast(d.Lower), strings.Join(late, ", ")))
	}
	text := fmt.Sprintf("Inconsistency window: %s to %s, over %s%s.", atLeast(d.Lower), atMost(*d.Upper), humanize.Plural(d.Pages, "watched page"), d.From())
	if d.Atomic != nil {
		text += fmt.Sprintf(" If each commit of an atomic target is atomic: %s to %s.", atLeast(d.Atomic.Lower), atMost(d.Atomic.Upper))
	}
	return s.paint(green, text)
}

// From tells from how many places the window was watched, "" for one.
func (d Window) From() string {
	n := 0
	for _, p := range d.Places {
		if p.Missing == "" {
			n++
		}
	}
	if len(d.Places) == 0 {
		return ""
	}
	return fmt.Sprintf(" from %d of %s", n, humanize.Plural(len(d.Places), "place"))
}

// Length is how long a window that is closed lasted, for people; "" for one that is open or had no pages.
func (d Window) Length() string {
	if !d.Closed || d.Pages == 0 || d.Upper == nil {
		return ""
	}
	return atLeast(d.Lower) + " to " + atMost(*d.Upper)
}

// Watching is a watch that goes on.
type Watching struct {
	Elapsed time.Duration
	Origins []WatchingOrigin
}

// WatchingOrigin is how far one origin has come.
type WatchingOrigin struct {
	Name     string
	Release  site.ID // what its beacon claims
	Heard    bool    // it has answered
	New, All int     // watched pages
	Settled  bool
}

// Text writes one state of the watch for people.
func (w Watching) Text(out io.Writer, s Style) error {
	out = s.fold(out)
	t := s.table(out, "origin", "release", "new", "old", "state")
	for _, o := range w.Origins {
		state := s.paint(yellow, "turning")
		switch {
		case o.Settled:
			state = s.paint(green, "new")
		case !o.Heard:
			state = s.paint(red, "no answer")
		}
		t.row(clean(o.Name), o.Release.Short(), strconv.Itoa(o.New), strconv.Itoa(o.All-o.New), state)
	}
	if err := t.render(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "watching for %s\n", duration(Millis(w.Elapsed)))
	return err
}
