package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"mirror/diff"
)

// The levels of a finding, as GitHub and SARIF call them.
const (
	levelError   = "error"
	levelWarning = "warning"
	levelNote    = "note"
)

// level tells how bad a difference is: all that counts fails the gate, but wrong bytes are
// worse than wrong headers.
func (d Drift) level() string {
	switch {
	case d.Tolerated != "":
		return levelNote
	case d.Kind.Info().Mild:
		return levelWarning
	}
	return levelError
}

// GitHub keeps this many annotations of a level a step, and drops the rest.
const maxAnnotations = 10

// What one annotation says at most.
const (
	maxNamed  = 5   // paths
	maxInText = 300 // runes of any text of an origin

	maxInError = 2000 // runes of an error, which may list all that is wrong with a config
)

// annotation is one workflow command.
type annotation struct{ level, title, text string }

// GitHub writes workflow commands: an annotation for each origin and kind of drift, with the
// first paths, within the limits that GitHub sets a step. Nothing is written where all agree
// and nothing is to be warned of.
func (c Check) GitHub(w io.Writer) error {
	all := c.annotations()
	for _, level := range []string{levelError, levelWarning, "notice"} {
		if err := writeAnnotations(w, level, all); err != nil {
			return fmt.Errorf("write annotations: %w", err)
		}
	}
	return nil
}

func writeAnnotations(w io.Writer, level string, all []annotation) error {
	all = slices.DeleteFunc(slices.Clone(all), func(a annotation) bool { return a.level != level })
	if len(all) > maxAnnotations {
		rest := all[maxAnnotations-1:]
		all = append(all[:maxAnnotations-1:maxAnnotations-1], annotation{level, "mirror: and more", fmt.Sprintf("%d more kinds of this on other origins; the step summary and --json list all", len(rest))})
	}
	for _, a := range all {
		if _, err := fmt.Fprintf(w, "::%s title=%s::%s\n", a.level, commandProperty(a.title), commandData(a.text)); err != nil {
			return err
		}
	}
	return nil
}

func (c Check) annotations() []annotation {
	var all []annotation
	for _, d := range c.unseen() {
		level := levelError
		if d.Tolerated != "" {
			level = "notice"
		}
		all = append(all, annotation{level, "mirror: " + clip(d.Origin, maxInText) + " is unreachable", clip(d.Detail, maxInText)})
	}
	for _, group := range grouped(c.counted()) {
		all = append(all, annotation{group[0].level(), "mirror: " + group.title(), c.namePaths(group)})
	}
	for _, o := range c.Origins {
		for _, warning := range o.warnings() {
			all = append(all, annotation{levelWarning, "mirror: " + o.Name, warning})
		}
	}
	for _, group := range grouped(c.passed()) {
		all = append(all, annotation{"notice", "mirror: " + group.title() + ", tolerated", c.namePaths(group)})
	}
	return all
}

// group holds differences of one origin and kind.
type group []Drift

// grouped gathers rows by origin and kind, the largest groups of the worst kinds first.
func grouped(rows []Drift) []group {
	type key struct {
		origin string
		kind   diff.Kind
	}
	at := map[key]int{}
	var groups []group
	for _, d := range rows {
		k := key{d.Origin, d.Kind}
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], d)
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(pagesOf(b), pagesOf(a)) })
	return groups
}

func (g group) title() string {
	return fmt.Sprintf("%s: %d %s", clip(g[0].Origin, maxInText), pagesOf(g), g[0].Kind)
}

func (c Check) namePaths(g group) string {
	if g[0].Path == "*" {
		return clip(c.detail(g[0]), maxInText)
	}
	var parts []string
	for _, d := range g[:min(len(g), maxNamed)] {
		part := clip(d.shown(), maxInText)
		if detail := c.detail(d); detail != "" {
			part += " (" + clip(detail, maxInText) + ")"
		}
		parts = append(parts, part)
	}
	text := strings.Join(parts, ", ")
	if n := pagesOf(g[min(len(g), maxNamed):]); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// ErrorAnnotation is the workflow command that shows an error on the page of a run.
func ErrorAnnotation(title, text string) string {
	return fmt.Sprintf("::%s title=%s::%s", levelError, commandProperty(title), commandData(clip(text, maxInError)))
}

// commandData escapes the text of a workflow command as the runner reads it (actions/runner,
// ActionCommand.cs). Line ends and the older form of commands are gone with clean.
func commandData(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(clean(text))
}

// commandProperty escapes a property of a workflow command.
func commandProperty(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(clean(text))
}
