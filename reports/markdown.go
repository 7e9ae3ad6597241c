package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// What the Markdown shows at most. GitHub refuses a step summary above 1 MiB; with these, and
// every character escaped, the largest is below half of that.
const (
	maxMarkdownRows  = 100
	maxMarkdownBytes = 400 << 10
	maxMarkdownCell  = 240 // runes
	maxMarkdownLines = 30  // origins, and notes
)

// Markdown writes the check as GitHub-flavoured Markdown. Whatever an origin says is shown as
// text: none of it becomes markup, a mention, a reference or a link.
func (c Check) Markdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "**%s %s**\n", c.sign(), inline(c.summary()))
	c.markdownOrigins(&b)
	c.markdownPlaces(&b)
	c.markdownRemarks(&b)
	c.markdownDrift(&b, "Drift", c.counted())
	c.markdownDrift(&b, "Tolerated", c.passed())
	_, err := w.Write(b.Bytes())
	return err
}

func (c Check) sign() string {
	switch {
	case c.Agree:
		return "✅"
	case !c.drifted():
		return "⚠️"
	}
	return "❌"
}

func (c Check) markdownOrigins(b *bytes.Buffer) {
	b.WriteString("\n| origin | state | release | match | drift | took |\n| --- | --- | --- | ---: | --- | ---: |\n")
	for _, o := range c.Origins[:min(len(c.Origins), maxMarkdownLines)] {
		fmt.Fprintf(b, "| %s | %s | %s | %d/%d | %s | %s |\n", code(o.Name), o.State, code(o.Release.Short()), o.Match, o.Pages, inline(o.drift()), duration(o.Elapsed))
	}
	if n := len(c.Origins) - maxMarkdownLines; n > 0 {
		fmt.Fprintf(b, "\n… and %d more origins.\n", n)
	}
}

func (c Check) markdownRemarks(b *bytes.Buffer) {
	var lines []string
	for _, note := range c.Notes {
		lines = append(lines, inline(note))
	}
	for _, warning := range c.Warnings {
		lines = append(lines, "⚠️ "+inline(warning))
	}
	for _, o := range c.Origins {
		name := code(o.Name)
		if o.Error != "" {
			lines = append(lines, fmt.Sprintf("%s is **unreachable**: %s%s", name, inline(o.Error), inline(o.excuse())))
		}
		for _, warning := range o.warnings() {
			lines = append(lines, fmt.Sprintf("⚠️ %s: %s", name, inline(warning)))
		}
		if len(o.Noise) > 0 {
			lines = append(lines, fmt.Sprintf("%s: noise: %s", name, inline(o.noise())))
		}
		if o.Recovered > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s", name, o.recovered()))
		}
		if facts := o.facts(); facts != "" && o.TLS != nil {
			lines = append(lines, fmt.Sprintf("%s: %s", name, inline(facts)))
		}
	}
	markdownRemarks(b, lines)
}

// markdownRemarks lists remarks, as many as a report may have.
func markdownRemarks(b *bytes.Buffer, lines []string) {
	if len(lines) > 0 {
		b.WriteString("\n")
	}
	for _, line := range lines[:min(len(lines), maxMarkdownLines)] {
		fmt.Fprintf(b, "- %s\n", line)
	}
	if n := len(lines) - maxMarkdownLines; n > 0 {
		fmt.Fprintf(b, "- … and %d more remarks\n", n)
	}
}

func (c Check) markdownDrift(b *bytes.Buffer, title string, rows []Drift) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n| %s | origin | path | detail |\n| --- | --- | --- | --- |\n", title)
	shown, hidden := tableRows(rows, maxMarkdownRows, false)
	for _, r := range shown {
		if b.Len() > maxMarkdownBytes {
			hidden += r.differences()
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", r.Kind, code(r.Origin), code(r.path()), inline(c.reason(r)))
	}
	if hidden > 0 {
		fmt.Fprintf(b, "\n… and %d more.\n", hidden)
	}
}

// reason is the detail, with the rule by which the difference does not count.
func (c Check) reason(r row) string {
	if r.Tolerated == "" {
		return c.rowDetail(r)
	}
	return fmt.Sprintf("%s (tolerated: %s)", c.rowDetail(r), r.Tolerated)
}

// code shows text as code. In a table a code span cannot hold every character, so this is
// HTML, whose content GitHub searches for no mentions and references.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "<code>" + inline(text) + "</code>"
}

// inline makes text mean nothing but itself, in a table's cell too. What Markdown, HTML or a
// link finder would act on is a character reference; a name after @ and a number after # are
// cut off from them, since those are looked for after references are resolved.
func inline(text string) string {
	return escaped(clip(clean(text), maxMarkdownCell))
}

func escaped(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '@' || r == '#':
			fmt.Fprintf(&b, "&#%d;<wbr>", r)
		case r == ':' && strings.HasPrefix(text[i:], ": "):
			b.WriteRune(r) // neither a scheme nor an emoji
		case strings.ContainsRune("\\`*_{}[]<>|~$^:&!", r), r == '.' && strings.HasSuffix(strings.ToLower(text[:i]), "www"):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
