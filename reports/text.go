package reports

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
)

// Style says how text is shown.
type Style struct {
	Color bool // ANSI colours
	Lines bool // Unicode box drawing; ASCII else
	Width int  // of the terminal in cells, which no line exceeds from 40 on; 0 for no bound

	Verbose bool // with what one asks for only when something is wrong
}

// Marks for states and outcomes.
const (
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	plain  = "\x1b[0m"
)

func (s Style) paint(color, text string) string {
	if !s.Color {
		return text
	}
	return color + text + plain
}

func (s Style) state(state diff.State) string {
	switch state {
	case diff.Agrees:
		return s.paint(green, string(state))
	case diff.Drifts:
		return s.paint(red, string(state))
	}
	return s.paint(yellow, string(state))
}

// Text writes the publish for people.
func (p Publish) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	t := s.table(w, "target", "from", "add", "change", "delete", "same", "sent", "stage", "commit", "")
	for _, r := range p.Targets {
		t.row(clean(r.Name), r.From.Short(), strconv.Itoa(r.Add), strconv.Itoa(r.Change), strconv.Itoa(r.Delete),
			strconv.Itoa(r.Same), humanize.Bytes(r.SentBytes), duration(r.Stage), duration(r.Commit), r.state(s))
	}
	if err := t.render(); err != nil {
		return err
	}
	if p.Window != nil {
		if err := p.Window.Text(w, s); err != nil {
			return err
		}
	}
	if p.Check != nil {
		if err := p.Check.Text(w, s); err != nil {
			return err
		}
	}
	if err := p.warn(w, s); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, p.summary(s))
	return err
}

func (p Publish) summary(s Style) string {
	release := p.Release.Short()
	switch p.Outcome {
	case "live", "unchanged":
		return s.paint(green, p.good())
	case "diverged":
		return s.paint(red, fmt.Sprintf("Release %s was committed, but not every origin serves it.", release))
	case "rolled_back":
		return s.paint(yellow, "The publish failed and was rolled back: every target that had moved holds again what it held before.")
	case "mixed":
		return s.paint(red, "The publish failed and could not be rolled back everywhere: origins may be mixed.")
	}
	return s.paint(red, "The publish failed; no live origin was changed.")
}

// good says how well a publish ended: what nobody looked at is not said to be live.
func (p Publish) good() string {
	release := p.Release.Short()
	switch {
	case p.Outcome == "unchanged" && p.Check == nil:
		return fmt.Sprintf("Every target held release %s already; nothing was sent, and no live origin was looked at.", release)
	case p.Outcome == "unchanged":
		return fmt.Sprintf("Release %s was live already; nothing was sent.", release)
	case p.Check == nil:
		return fmt.Sprintf("Release %s is committed on %s; no live origin was looked at.", release, humanize.Plural(len(p.Targets), "target"))
	}
	return fmt.Sprintf("Release %s is live on %s: %d files, %s.", release, humanize.Plural(len(p.Targets), "target"), p.Files, humanize.Bytes(p.Bytes))
}

// state tells what became of one target.
func (r PublishTarget) state(s Style) string {
	switch {
	case r.Error != "":
		return s.paint(red, "failed")
	case r.Committed != nil:
		return s.paint(green, "ok")
	case r.From == r.To && r.Add+r.Change+r.Delete == 0:
		return s.paint(green, "same")
	}
	return "not done"
}

// maxPaths is how many paths of a kind a plan's text names; JSON has them all.
const maxPaths = 20

// Text writes the plan for people.
func (p Plan) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	t := s.table(w, "target", "live", "add", "change", "delete", "same", "to send")
	for _, r := range p.Targets {
		if r.Error != "" {
			t.row(clean(r.Name), s.paint(red, "failed"), "?", "?", "?", "?", "?")
			continue
		}
		t.row(clean(r.Name), r.From.Short(), strconv.Itoa(len(r.Add)), strconv.Itoa(len(r.Change)), strconv.Itoa(len(r.Delete)),
			strconv.Itoa(r.Same), humanize.Bytes(r.Bytes))
	}
	if err := t.render(); err != nil {
		return err
	}
	for _, r := range p.Targets {
		listPaths(w, r.Name, s.paint(green, "+"), r.Add)
		listPaths(w, r.Name, s.paint(yellow, "~"), r.Change)
		listPaths(w, r.Name, s.paint(red, "-"), without(r.Delete, r.Foreign))
		listPaths(w, r.Name, s.paint(red, "!"), r.Foreign)
		listPaths(w, r.Name, "=", r.Kept)
	}
	for _, r := range p.Targets {
		if len(r.Foreign) > 0 {
			fmt.Fprintf(w, "%s %s was never published to and holds files of others (!), which would be deleted: publish asks, or needs --adopt.\n",
				s.paint(red, "!"), clean(r.Name))
		}
	}
	for i, step := range p.Order {
		fmt.Fprintf(w, "%d. commit %s%s: %s\n", i+1, clean(step.Name), step.when(), step.Reason)
	}
	if err := p.warn(w, s); err != nil {
		return err
	}
	var failed []string
	for _, r := range p.Targets {
		if r.Error != "" {
			failed = append(failed, clean(r.Name))
		}
	}
	if len(failed) > 0 {
		_, err := fmt.Fprintf(w, "%s\n", s.paint(red, "There is no whole plan: "+strings.Join(failed, ", ")+" failed. Nothing was changed."))
		return err
	}
	_, err := fmt.Fprintf(w, "Release %s. Nothing was changed; `mirror publish` does it.\n", p.Release.Short())
	return err
}

func (s PlanStep) when() string {
	switch {
	case s.Barrier:
		return " behind the barrier"
	case s.After > 0:
		return " after " + duration(s.After)
	}
	return ""
}

// without returns the paths that are not in others, which is sorted.
func without(paths, others []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		_, found := slices.BinarySearch(others, path)
		return found
	})
}

func listPaths(w io.Writer, target, mark string, paths []string) {
	for _, path := range paths[:min(len(paths), maxPaths)] {
		fmt.Fprintf(w, "%s %s: %s\n", mark, clean(target), clean(path))
	}
	if n := len(paths) - maxPaths; n > 0 {
		fmt.Fprintf(w, "%s %s: … and %d more\n", mark, clean(target), n)
	}
}

// Text writes the story's steps for people.
func (d Demo) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	t := s.table(w, "step", "", "what was seen")
	for _, step := range d.Steps {
		mark := s.paint(green, "ok")
		if !step.OK {
			mark = s.paint(red, "failed")
		}
		t.row(step.Name, mark, clean(step.Detail))
	}
	if err := t.render(); err != nil {
		return err
	}
	if err := d.warn(w, s); err != nil {
		return err
	}
	text := s.paint(green, "Every step did what it says.")
	if !d.OK {
		text = s.paint(red, "Some step did not do what it says.")
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// atLeast and atMost show a bound to what the eye needs, and never tighter than it is.
func atLeast(m Millis) string { return duration(m - Millis(time.Duration(m)%precision(m))) }

func atMost(m Millis) string {
	if rest := time.Duration(m) % precision(m); rest > 0 {
		m += Millis(precision(m) - rest)
	}
	return duration(m)
}

// precision is what a time is shown to.
func precision(m Millis) time.Duration {
	switch d := time.Duration(m); {
	case d < time.Second:
		return time.Millisecond
	case d < time.Minute:
		return 10 * time.Millisecond
	}
	return time.Second
}

// duration shows a time to what the eye needs.
func duration(m Millis) string {
	d := time.Duration(m)
	switch {
	case d < time.Second:
		return fmt.Sprintf("%.0fms", float64(d)/float64(time.Millisecond))
	case d < time.Minute:
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}
