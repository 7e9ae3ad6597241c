package reports

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"mirror/diff"
	"mirror/internal/humanize"
)

// Markdown writes the report as GitHub-flavoured Markdown, under the rules of that of a check.
func (p Period) Markdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "**%s %s**\n\n%s\n", p.sign(), inline(p.summary()), inline(p.title()))
	p.markdownOrigins(&b)
	p.markdownEpisodes(&b)
	p.markdownPublishes(&b)
	p.markdownSlowest(&b)
	_, err := w.Write(b.Bytes())
	return err
}

func (p Period) sign() string {
	switch {
	case p.State == diff.Drifts:
		return "❌"
	case p.State == diff.Agrees && p.Checks > 0:
		return "✅"
	}
	return "⚠️"
}

func (p Period) markdownOrigins(b *bytes.Buffer) {
	if len(p.Origins) == 0 {
		return
	}
	b.WriteString("\n| origin | at the end | agreed | before | checks | drift | unreachable | episodes | certificate |\n" +
		"| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n")
	for _, o := range p.Origins[:min(len(p.Origins), maxMarkdownLines)] {
		a := o.Agreement
		fmt.Fprintf(b, "| %s | %s | %s | %s | %d/%d | %s | %s | %s | %s |\n", code(o.Name), o.word(), percent(cmp.Or(a.ByTime, a.ByChecks)), percent(a.Before),
			a.Agreed, a.Checks, zeroAs("-", a.DriftedFor), zeroAs("-", a.UnreachableFor), o.episodes(), o.certificate())
	}
	if n := len(p.Origins) - maxMarkdownLines; n > 0 {
		fmt.Fprintf(b, "\n… and %d more origins.\n", n)
	}
}

func (p Period) markdownEpisodes(b *bytes.Buffer) {
	if len(p.Episodes) == 0 {
		return
	}
	b.WriteString("\n| episode | origin | first seen | duration | where | detail |\n| --- | --- | --- | --- | --- | --- |\n")
	shown := min(len(p.Episodes), maxPeriodEpisodes)
	for _, e := range p.Episodes[:shown] {
		kind := string(e.Kind)
		if e.Closed == nil {
			kind = "**" + kind + "**"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", kind, code(e.Origin), moment(e.Opened), e.lasted(), code(e.where()), inline(e.Detail))
	}
	if n := p.EpisodeCount - shown; n > 0 {
		fmt.Fprintf(b, "\n… and %d more.\n", n)
	}
	if p.Recovery != nil {
		fmt.Fprintf(b, "\n%s\n", inline(p.Recovery.words()))
	}
}

func (p Period) markdownPublishes(b *bytes.Buffer) {
	if len(p.Publishes) > 0 {
		b.WriteString("\n| published | outcome | release | files | sent | took | window |\n| --- | --- | --- | ---: | ---: | ---: | --- |\n")
	}
	shown := min(len(p.Publishes), maxPeriodPublishes)
	for _, one := range p.Publishes[:shown] {
		fmt.Fprintf(b, "| %s | %s | %s | %d | %s | %s | %s |\n", moment(one.Started), inline(one.Outcome)+one.mark(), code(one.Release.Short()), one.Files,
			humanize.Bytes(one.Bytes), lasting(one.Elapsed), one.length())
	}
	if n := p.PublishCount - shown; n > 0 {
		fmt.Fprintf(b, "\n… and %d more.\n", n)
	}
	if p.Windows != nil {
		fmt.Fprintf(b, "\n%s\n", inline(p.Windows.words()))
	}
}

func (p Period) markdownSlowest(b *bytes.Buffer) {
	if len(p.Slowest) == 0 {
		return
	}
	b.WriteString("\n| slowest page | origin | took | on |\n| --- | --- | ---: | --- |\n")
	for _, page := range p.Slowest {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(page.Path), code(page.Origin), duration(page.Took), moment(page.At))
	}
}

// CSV writes one row a day and origin, under the rules of the CSV of a check.
func (p Period) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	rows := [][]string{{"date", "origin", "checks", "agreed", "drifted", "unreachable", "agreed_by_time", "agreed_by_checks", "pages", "matched", "elapsed_ms"}}
	for _, d := range p.Days {
		elapsed := ""
		if d.Elapsed != nil {
			ms, _ := d.Elapsed.MarshalJSON() // never fails
			elapsed = string(ms)
		}
		rows = append(rows, []string{
			d.Date, cell(d.Origin), strconv.Itoa(d.Checks), strconv.Itoa(d.Agreed), strconv.Itoa(d.Drifted), strconv.Itoa(d.Unreachable),
			fraction(d.ByTime), fraction(d.ByChecks), strconv.Itoa(d.Pages), strconv.Itoa(d.Matched), elapsed,
		})
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

func fraction(share *float64) string {
	if share == nil {
		return ""
	}
	return strconv.FormatFloat(*share, 'f', 6, 64)
}
