package reports

import (
	"bytes"
	"fmt"
	"io"

	"mirror/internal/humanize"
)

// Markdown writes the publish as GitHub-flavoured Markdown: how it ended, what became of each target, what
// each origin serves and when it showed the release, and the window. Text of others is shown as text.
func (p Publish) Markdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "**%s %s**\n", p.sign(), inline(p.summary(Style{})))
	if p.Error != "" {
		fmt.Fprintf(&b, "\n%s\n", inline(p.Error))
	}
	p.markdownTargets(&b)
	p.markdownOrigins(&b)
	for _, r := range p.Purge[:min(len(p.Purge), maxMarkdownLines)] {
		fmt.Fprintf(&b, "\nPurged %s: %s.\n", code(r.Origin), inline(r.summary()))
	}
	p.markdownRemarks(&b)
	if p.Check != nil {
		p.Check.markdownDrift(&b, "Drift", p.Check.counted())
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (p Publish) sign() string {
	switch p.Outcome {
	case "live", "unchanged", "staged":
		return "✅"
	case "rolled_back":
		return "⚠️"
	}
	return "❌"
}

func (p Publish) markdownTargets(b *bytes.Buffer) {
	if len(p.Targets) == 0 {
		return
	}
	b.WriteString("\n| target | state | before | add | change | delete | sent | commit |\n| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, t := range p.Targets[:min(len(p.Targets), maxMarkdownLines)] {
		fmt.Fprintf(b, "| %s | %s | %s | %d | %d | %d | %s | %s |\n", code(t.Name), t.state(Style{}, p.Outcome == "staged"), code(t.From.Short()), t.Add, t.Change, t.Delete,
			humanize.Bytes(t.SentBytes), duration(t.Commit))
	}
	if n := len(p.Targets) - maxMarkdownLines; n > 0 {
		fmt.Fprintf(b, "\n… and %d more targets.\n", n)
	}
}

// markdownOrigins shows the origins that were looked at, and the window.
func (p Publish) markdownOrigins(b *bytes.Buffer) {
	rows, turns := p.origins()
	if len(rows) > 0 {
		b.WriteString("\n| origin | state | first new page | all pages new |\n| --- | --- | --- | --- |\n")
	}
	for _, o := range rows[:min(len(rows), maxMarkdownLines)] {
		turn := turns[o.Name]
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(o.Name), o.State, inline(turn[0]), inline(turn[1]))
	}
	if n := len(rows) - maxMarkdownLines; n > 0 {
		fmt.Fprintf(b, "\n… and %d more origins.\n", n)
	}
	switch {
	case p.Window == nil:
	case p.Window.Pages == 0:
		b.WriteString("\nNo page that can be watched changed, so there was no window to measure.\n")
	default:
		fmt.Fprintf(b, "\n%s\n", inline(p.Window.summary(Style{})))
	}
}

// origins lists the origins of the check and of the window, and when each showed the release.
func (p Publish) origins() (rows []Origin, turns map[string][2]string) {
	turns = map[string][2]string{}
	if p.Check != nil {
		rows = p.Check.Origins
	}
	if p.Window == nil || p.Window.Pages == 0 {
		return rows, turns
	}
	zero := p.Window.zero()
	for _, o := range p.Window.Origins {
		first, all := o.turn(zero)
		turns[o.Name] = [2]string{first, all}
		if p.Check == nil {
			rows = append(rows, Origin{Name: o.Name, State: "not looked at"})
		}
	}
	return rows, turns
}

func (p Publish) markdownRemarks(b *bytes.Buffer) {
	var lines []string
	for _, t := range p.Targets {
		if t.Error != "" {
			lines = append(lines, fmt.Sprintf("❌ %s: %s", code(t.Name), inline(t.Error)))
		}
	}
	for _, warning := range p.Warnings {
		lines = append(lines, "⚠️ "+inline(warning))
	}
	if p.Check != nil {
		for _, o := range p.Check.Origins {
			if o.Error != "" {
				lines = append(lines, fmt.Sprintf("❌ %s is **unreachable**: %s", code(o.Name), inline(o.Error)))
			}
		}
	}
	markdownRemarks(b, lines)
}
