package reports

import (
	"fmt"
	"io"
	"strings"

	"mirror/internal/humanize"
)

// PlanDiff is how the content of one file differs from what is live on some targets.
type PlanDiff struct {
	Path     string   `json:"path"`
	Targets  []string `json:"targets"` // that hold the same live content
	OldBytes int64    `json:"old_bytes"`
	NewBytes int64    `json:"new_bytes"`
	Diff     string   `json:"diff"` // in the unified format, hunks only; "" where Note says why not
	Note     string   `json:"note"`
}

// Bounds of a diff's text without --all.
const (
	maxDiffLines = 60
	maxDiffLine  = 300 // characters
)

// writeDiffs shows the differences of content as `git diff` does.
func (p Plan) writeDiffs(w io.Writer, s Style) {
	for _, d := range p.Diffs {
		names := make([]string, len(d.Targets))
		for i, name := range d.Targets {
			names[i] = clean(name)
		}
		on := strings.Join(names, ", ")
		switch {
		case d.Diff == "" && d.OldBytes < 0:
			fmt.Fprintf(w, "%s  %s on %s\n", clean(d.Path), clean(d.Note), on)
		case d.Diff == "":
			fmt.Fprintf(w, "%s  %s: %s live on %s, %s in the release\n", clean(d.Path), clean(d.Note), humanize.Bytes(d.OldBytes), on, humanize.Bytes(d.NewBytes))
		default:
			fmt.Fprintf(w, "--- %s  live on %s\n+++ %s  release %s%s\n", clean(d.Path), on, clean(d.Path), p.Release.Short(), d.remark())
			d.writeLines(w, s)
		}
	}
	if p.Undiffed > 0 {
		fmt.Fprintf(w, "… and %s without a diff\n", humanize.Plural(p.Undiffed, "more changed file"))
	}
}

// remark says how the diff was made, where that is not as usual.
func (d PlanDiff) remark() string {
	if d.Note == "" {
		return ""
	}
	return "  (" + clean(d.Note) + ")"
}

func (d PlanDiff) writeLines(w io.Writer, s Style) {
	lines := strings.Split(strings.TrimSuffix(d.Diff, "\n"), "\n")
	hidden := 0
	if !s.All && len(lines) > maxDiffLines {
		lines, hidden = lines[:maxDiffLines], len(lines)-maxDiffLines
	}
	for _, line := range lines {
		text := clean(clip(strings.ReplaceAll(line, "\t", "    "), maxDiffLine))
		switch {
		case strings.HasPrefix(line, "-"):
			text = s.paint(red, text)
		case strings.HasPrefix(line, "+"):
			text = s.paint(green, text)
		case strings.HasPrefix(line, "@@"):
			text = s.paint(cyan, text)
		}
		fmt.Fprintln(w, text)
	}
	if hidden > 0 {
		fmt.Fprintf(w, "… %s (--all shows them)\n", humanize.Plural(hidden, "more line"))
	}
}
