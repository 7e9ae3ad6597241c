package reports

import (
	"fmt"
	"strings"

	"mirror/diff"
	"mirror/site"
)

// paintedSummary is the summary in the colour of what it says.
func (c Check) paintedSummary(s Style) string {
	switch {
	case c.Agree:
		return s.paint(green, c.summary())
	case c.Alike, len(c.counted()) == 0:
		return s.paint(yellow, c.summary())
	}
	return s.paint(red, c.summary())
}

// summary says in one line what the check found. The text is safe.
func (c Check) summary() string {
	found := len(c.counted())
	switch {
	case c.Agree:
		return c.agreement() + c.besides()
	case c.Alike && c.Release != site.None:
		return fmt.Sprintf("The origins serve the same as each other, but not release %s (hint: publish).", c.Release.Short())
	case found == 0:
		return "Not every origin could be judged" + c.among() + "." + c.besides()
	case c.Release == site.None:
		return fmt.Sprintf("The origins do not serve the same: %s%s.%s", plural(found, "difference"), c.among(), c.besides())
	}
	return fmt.Sprintf("The origins do not agree on release %s: %s%s.%s", c.Release.Short(), plural(found, "difference"), c.among(), c.besides())
}

func (c Check) agreement() string {
	n := len(c.Origins) - len(c.unseen())
	switch {
	case c.Release == site.None && n == 1:
		return fmt.Sprintf("The origin serves %s.", c.pages(""))
	case c.Release == site.None:
		return fmt.Sprintf("The %d origins serve the same %s.", n, c.pages(""))
	case n == 1:
		return fmt.Sprintf("The origin agrees on release %s: %s.", c.Release.Short(), c.pages(""))
	}
	return fmt.Sprintf("The %d origins agree on release %s: %s.", n, c.Release.Short(), c.pages(" each"))
}

func (c Check) pages(each string) string {
	if c.Sampled == 0 {
		return plural(c.Pages, "page") + each
	}
	return fmt.Sprintf("%d of %d pages%s, picked at random", c.Sampled, c.Pages, each)
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
		text = fmt.Sprintf(" With 95%% confidence at most %.2g%% of the pages drift.", 100**c.AtMost)
	}
	if n := len(c.passed()); n > 0 {
		text += fmt.Sprintf(" %s tolerated.", plural(n, "difference"))
	}
	if n := len(c.unseen()); n > 0 && c.Agree {
		text += fmt.Sprintf(" %s could not be seen, which is tolerated.", plural(n, "origin"))
	}
	return text
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func counts(m map[diff.Kind]int) string {
	var parts []string
	for _, k := range diff.Kinds() {
		if m[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", m[k], k))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
