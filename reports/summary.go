package reports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mirror/diff"
	"mirror/internal/humanize"
	"mirror/site"
)

// paintedSummary is the summary in the colour of what it says.
func (c Check) paintedSummary(s Style) string {
	switch {
	case c.Agree:
		return s.paint(green, c.summary())
	case c.Alike, !c.drifted():
		return s.paint(yellow, c.summary())
	}
	return s.paint(red, c.summary())
}

// summary says in one line what the check found. The text is safe.
func (c Check) summary() string {
	switch {
	case c.Agree:
		return c.agreement() + c.besides()
	case c.rolledBackTo() != site.None && c.drifted():
		return fmt.Sprintf("The origins were rolled back to release %s, and do not serve release %s: %s%s (hint: publish puts that live again).%s",
			c.rolledBackTo().Short(), c.Release.Short(), c.difference(), c.among(), c.besides())
	case c.Alike && c.Release != site.None:
		return c.alike()
	case !c.drifted():
		return "Not every origin could be judged" + c.unjudged() + c.among() + "." + c.besides()
	case c.Release == site.None:
		return fmt.Sprintf("The origins do not serve the same: %s%s.%s", c.difference(), c.among(), c.besides())
	}
	return fmt.Sprintf("The origins do not agree on release %s: %s%s.%s", c.Release.Short(), c.difference(), c.among(), c.besides())
}

// alike says that all origins serve the same, and not the release.
func (c Check) alike() string {
	text := fmt.Sprintf("The origins serve the same as each other, but not release %s", c.Release.Short())
	if len(c.Origins) == 1 {
		text = fmt.Sprintf("The origin does not serve release %s", c.Release.Short())
	}
	switch {
	case c.publishHelps() && c.Unmanaged:
		text += " (hint: deploy this build)"
	case c.publishHelps():
		text += " (hint: publish)"
	}
	return text + "."
}

// rolledBackTo is another release than the checked one, to which all origins say that they were rolled
// back; None where they do not.
func (c Check) rolledBackTo() site.ID {
	to := site.None
	for i, o := range c.Origins {
		if !o.Rollback || o.Release == c.Release || i > 0 && o.Release != to {
			return site.None
		}
		to = o.Release
	}
	return to
}

// publishHelps reports whether all that differs is what an earlier release, or none, leaves behind. An
// answer under a wrong status, or one that leads away, is the same after a publish.
func (c Check) publishHelps() bool {
	return !slices.ContainsFunc(c.counted(), func(d Drift) bool {
		return d.Kind != diff.Missing && d.Kind != diff.Stale && d.Kind != diff.Extra
	})
}

// drifted reports whether something that counts was seen to differ.
func (c Check) drifted() bool {
	return slices.ContainsFunc(c.counted(), func(d Drift) bool { return d.Kind != diff.Unreachable })
}

// unjudged counts the pages that could not be judged, on origins that could be seen.
func (c Check) unjudged() string {
	switch n := pagesOf(c.counted()); n {
	case 0:
		return ""
	case 1:
		return ": 1 page was unreachable"
	default:
		return fmt.Sprintf(": %d pages were unreachable", n)
	}
}

// difference counts what differs, and apart from it what could not be judged.
func (c Check) difference() string {
	unjudged := 0
	for _, d := range c.counted() {
		if d.Kind == diff.Unreachable {
			unjudged += d.pages()
		}
	}
	text := humanize.Plural(pagesOf(c.counted())-unjudged, "difference")
	if unjudged > 0 {
		text += ", and " + humanize.Plural(unjudged, "page") + " that could not be judged"
	}
	return text
}

func (c Check) agreement() string {
	n := len(c.Origins) - len(c.unseen())
	but := c.but()
	switch {
	case c.Release == site.None && n == 1:
		return fmt.Sprintf("The origin serves %s%s.", c.pages(""), but)
	case c.Release == site.None:
		return fmt.Sprintf("The %d origins serve the same %s%s%s.", n, c.pages(""), but, c.uncompared())
	case n == 1:
		return fmt.Sprintf("The origin serves release %s%s: %s.", c.Release.Short(), but, c.pages(""))
	}
	return fmt.Sprintf("The %d origins agree on release %s%s: %s.", n, c.Release.Short(), but, c.pages(" each"))
}

// but tells of what the agreement leaves out.
func (c Check) but() string {
	var parts []string
	if n := pagesOf(c.passed()); n > 0 {
		parts = append(parts, humanize.Plural(n, "tolerated difference"))
	}
	switch n := c.noise(); {
	case n == 1:
		parts = append(parts, "1 page that differs on every request")
	case n > 1:
		parts = append(parts, fmt.Sprintf("%d pages that differ on every request", n))
	}
	if len(parts) == 0 {
		return ""
	}
	return ", except for " + strings.Join(parts, " and ")
}

// noise counts the pages that differ on every request at some origin.
func (c Check) noise() int {
	paths := map[string]bool{}
	for _, o := range c.Origins {
		for _, path := range o.Noise {
			paths[path] = true
		}
	}
	return len(paths)
}

// uncompared counts the pages that are on no origin.
func (c Check) uncompared() (text string) {
	if c.Nowhere > 0 {
		text = fmt.Sprintf("; %s on no site", humanize.Are(c.Nowhere, "listed page"))
	}
	if c.Closed > 0 {
		text += fmt.Sprintf("; %s behind a login", humanize.Are(c.Closed, "page"))
	}
	return text
}

// pages counts the pages that were compared.
func (c Check) pages(each string) string {
	if c.Sampled == 0 {
		return humanize.Plural(c.compared(), "page") + each
	}
	return fmt.Sprintf("%d of %d pages%s, picked at random", c.compared(), c.Pages, each)
}

// among says of how many pages what was found was found.
func (c Check) among() string {
	if c.Sampled == 0 {
		return ""
	}
	return fmt.Sprintf(" among %d of %d pages, picked at random", c.Sampled, c.Pages)
}

// besides adds what the verdict alone would hide: what a sample leaves open, and what was
// let pass.
func (c Check) besides() string {
	text := ""
	if c.AtMost != nil {
		text = fmt.Sprintf(" With 95%% confidence at most %s%% of the pages drift.", strconv.FormatFloat(100**c.AtMost, 'g', 3, 64))
	}
	if n := pagesOf(c.passed()); n > 0 && !c.Agree {
		text += fmt.Sprintf(" %s tolerated.", humanize.Plural(n, "difference"))
	}
	if n := len(c.unseen()); n > 0 && c.Agree {
		text += fmt.Sprintf(" %s could not be seen, which is tolerated.", humanize.Plural(n, "origin"))
	}
	return text
}
