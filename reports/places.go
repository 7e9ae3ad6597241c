package reports

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// places lists the names of the places that looked, in order.
func (c Check) places() []string {
	var names []string
	for _, o := range c.Origins {
		for _, p := range o.Places {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// from returns what a place saw of the origin, and whether it looked.
func (o Origin) from(place string) (Place, bool) {
	i := slices.IndexFunc(o.Places, func(p Place) bool { return p.Name == place })
	if i < 0 {
		return Place{}, false
	}
	return o.Places[i], true
}

// placesTable shows what each place saw, a row for each place and origin. There is none where one place
// alone looked.
func (c Check) placesTable(w io.Writer, s Style) error {
	names := c.places()
	if len(names) == 0 {
		return nil
	}
	t := s.table(w, "place", "origin", "state", "match", "drift", "requests", "took")
	for _, name := range names {
		for _, o := range c.Origins {
			if p, ok := o.from(name); ok {
				t.row(clean(name), clean(o.Name), s.state(p.State), fmt.Sprintf("%d/%d", p.Match, p.Pages), Counts(p.Counts), strconv.FormatInt(p.Requests, 10), duration(p.Elapsed))
			}
		}
	}
	return t.render()
}

// markdownPlaces is the table of places by origins.
func (c Check) markdownPlaces(b *bytes.Buffer) {
	names := c.places()
	if len(names) == 0 {
		return
	}
	origins := c.Origins[:min(len(c.Origins), maxMarkdownLines)]
	b.WriteString("\n| place |")
	rule := "\n| --- |"
	for _, o := range origins {
		fmt.Fprintf(b, " %s |", code(o.Name))
		rule += " --- |"
	}
	b.WriteString(rule + "\n")
	for _, name := range names[:min(len(names), maxMarkdownLines)] {
		fmt.Fprintf(b, "| %s |", code(name))
		for _, o := range origins {
			text := "–"
			if p, ok := o.from(name); ok {
				text = fmt.Sprintf("%s, %d/%d", p.State, p.Match, p.Pages)
			}
			fmt.Fprintf(b, " %s |", text)
		}
		b.WriteString("\n")
	}
	if n := len(names) - maxMarkdownLines; n > 0 {
		fmt.Fprintf(b, "\n… and %d more places.\n", n)
	}
}
