package reports

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"mirror/internal/humanize"
	"mirror/site"
)

// DiffSchema names the form of a document of differences.
const DiffSchema = "mirror.diff/v1"

// Diff is the document of `mirror diff`.
type Diff struct {
	Schema  string       `json:"schema"` // mirror.diff/v1
	A       DiffSide     `json:"a"`
	B       DiffSide     `json:"b"`
	Same    int          `json:"same"`    // files that are the same in both
	Changes []DiffChange `json:"changes"` // in path order
	Origins []DiffOrigin `json:"origins"` // which of the two each serves, at the paths that differ
	// Undiffed is how many changed files have no diff because there are too many.
	Undiffed int `json:"undiffed,omitempty"`
	// Notes say what limits the comparison.
	Notes []string `json:"notes,omitempty"`
	Ending
}

// DiffSide is one of the two states of the site.
type DiffSide struct {
	Name      string     `json:"name"`    // for people
	Kind      string     `json:"kind"`    // release, site, url or nothing
	Release   site.ID    `json:"release"` // "" for a URL
	Published *time.Time `json:"published"`
	Files     int        `json:"files"`
	Bytes     int64      `json:"bytes"`
}

// What became of a path.
const (
	DiffAdded   = "added"
	DiffChanged = "changed"
	DiffDeleted = "deleted"
	DiffRenamed = "renamed"
)

// DiffChange is a path that differs.
type DiffChange struct {
	Path      string `json:"path"`
	Status    string `json:"status"`   // added, changed, deleted or renamed
	OldPath   string `json:"old_path"` // of what was renamed
	OldBytes  int64  `json:"old_bytes"`
	NewBytes  int64  `json:"new_bytes"`
	OldSHA256 string `json:"old_sha256"` // "" for what was added
	NewSHA256 string `json:"new_sha256"` // "" for what was deleted
	Diff      string `json:"diff"`       // in the unified format, hunks only
	Note      string `json:"note"`       // why there is no diff, or how it was made
	// Serves says for each origin that was asked which of the two it serves here: a, b, other, or unread.
	Serves map[string]string `json:"serves,omitempty"`
}

// DiffOrigin counts what an origin serves at the paths that differ.
type DiffOrigin struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	A      int    `json:"a"`
	B      int    `json:"b"`
	Other  int    `json:"other"`  // neither of the two
	Unread int    `json:"unread"` // no answer, or not asked
	Error  string `json:"error"`  // the first failure
}

// Differs reports whether anything differs.
func (d Diff) Differs() bool { return len(d.Changes) > 0 }

// maxChanges is how many lines of changes the text has without --all.
const maxChanges = 60

// Text writes the differences for people.
func (d Diff) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	fmt.Fprintf(w, "a  %s\nb  %s\n", d.A.Line(), d.B.Line())
	for i, c := range d.Changes {
		if i == maxChanges && !s.All {
			fmt.Fprintf(w, "… and %d more (--all lists every one)\n", len(d.Changes)-i)
			break
		}
		line := fmt.Sprintf("%s %s  %s", c.mark(s), c.paths(), c.Sizes())
		if served := c.Served(d.Origins); served != "" {
			line += "  (" + served + ")"
		}
		fmt.Fprintln(w, line)
	}
	d.writeTexts(w, s)
	if err := d.originTable(w, s); err != nil {
		return err
	}
	for _, note := range d.Notes {
		fmt.Fprintf(w, "%s: %s\n", s.paint(yellow, "note"), clean(note))
	}
	if err := d.warn(w, s); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, d.Totals())
	return err
}

// Totals says in one line what differs.
func (d Diff) Totals() string {
	if d.Error != "" {
		return "The comparison is incomplete: " + clean(d.Error)
	}
	if !d.Differs() {
		return "No differences: " + humanize.Plural(d.Same, "file") + "."
	}
	n := map[string]int{}
	for _, c := range d.Changes {
		n[c.Status]++
	}
	var parts []string
	for _, status := range []string{DiffAdded, DiffChanged, DiffDeleted, DiffRenamed} {
		if n[status] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[status], status))
		}
	}
	return fmt.Sprintf("%s; %d the same.", strings.Join(parts, ", "), d.Same)
}

// Line is what a side is, in one line.
func (a DiffSide) Line() string {
	text := clean(a.Name)
	if a.Published != nil {
		text += " of " + a.Published.UTC().Format(time.DateTime) + " UTC"
	}
	return fmt.Sprintf("%s, %s, %s", text, humanize.Plural(a.Files, "file"), humanize.Bytes(a.Bytes))
}

func (c DiffChange) mark(s Style) string {
	switch c.Status {
	case DiffAdded:
		return s.paint(green, "+")
	case DiffDeleted:
		return s.paint(red, "-")
	case DiffRenamed:
		return s.paint(cyan, ">")
	}
	return s.paint(yellow, "~")
}

func (c DiffChange) paths() string {
	if c.OldPath != "" {
		return clean(c.OldPath) + " => " + clean(c.Path)
	}
	return clean(c.Path)
}

// Sizes shows the sizes before and after.
func (c DiffChange) Sizes() string {
	switch {
	case c.Status == DiffAdded:
		return humanize.Bytes(c.NewBytes)
	case c.Status == DiffDeleted, c.OldSHA256 == c.NewSHA256:
		return humanize.Bytes(c.OldBytes)
	}
	return humanize.Bytes(c.OldBytes) + " → " + humanize.Bytes(c.NewBytes)
}

// Served says which of the two each origin serves, for origins of which not all serve the same.
func (c DiffChange) Served(origins []DiffOrigin) string {
	by := map[string][]string{}
	for _, o := range origins {
		if which := c.Serves[o.Name]; which != "" {
			by[which] = append(by[which], clean(o.Name))
		}
	}
	if len(by) < 2 {
		return ""
	}
	var parts []string
	for _, which := range []string{"a", "b", "other", "unread"} {
		if len(by[which]) > 0 {
			parts = append(parts, which+" on "+strings.Join(by[which], ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// writeTexts shows the differences of text as `git diff` does.
func (d Diff) writeTexts(w io.Writer, s Style) {
	for _, c := range d.Changes {
		from := c.Path
		if c.OldPath != "" {
			from = c.OldPath
		}
		switch {
		case c.Diff == "" && c.Note == "":
		case c.Diff == "":
			fmt.Fprintf(w, "%s  %s\n", clean(c.Path), clean(c.Note))
		default:
			p := PlanDiff{Diff: c.Diff, Note: c.Note}
			fmt.Fprintf(w, "--- %s  %s\n+++ %s  %s%s\n", clean(from), clean(d.A.Name), clean(c.Path), clean(d.B.Name), p.remark())
			p.writeLines(w, s)
		}
	}
	if d.Undiffed > 0 {
		fmt.Fprintf(w, "… and %s without a diff\n", humanize.Plural(d.Undiffed, "more changed file"))
	}
}

func (d Diff) originTable(w io.Writer, s Style) error {
	if len(d.Origins) == 0 {
		return nil
	}
	t := s.table(w, "origin", "serves a", "serves b", "other", "unread")
	for _, o := range d.Origins {
		t.row(clean(o.Name), strconv.Itoa(o.A), strconv.Itoa(o.B), strconv.Itoa(o.Other), strconv.Itoa(o.Unread))
	}
	if err := t.render(); err != nil {
		return err
	}
	for _, o := range d.Origins {
		if o.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", clean(o.Name), clean(clip(o.Error, maxCell)))
		}
	}
	return nil
}
