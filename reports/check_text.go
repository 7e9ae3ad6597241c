package reports

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
	"mirror/site"
)

// maxDrift is how many rows of differences the text shows without --all.
const maxDrift = 50

// maxCell bounds, in runes, what an origin can put into one cell.
const maxCell = 200

// Text writes the check for people.
func (c Check) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	t := s.table(w, "origin", "state", "release", "match", "drift", "requests", "read", "took")
	for _, o := range c.Origins {
		t.row(clean(o.Name), s.state(o.State), o.Release.Short(), fmt.Sprintf("%d/%d", o.Match, o.Pages), o.drift(),
			strconv.FormatInt(o.Requests, 10), humanize.Bytes(o.Bytes), duration(o.Elapsed))
	}
	if err := t.render(); err != nil {
		return err
	}
	if err := c.placesTable(w, s); err != nil {
		return err
	}
	for _, o := range c.Origins {
		o.remarks(w, s)
	}
	for _, note := range c.Notes {
		fmt.Fprintf(w, "%s: %s\n", s.paint(yellow, "note"), clean(note))
	}
	counted := c.counted()
	if err := c.driftTable(w, s, counted); err != nil {
		return err
	}
	if err := c.passedTable(w, s, c.passed()); err != nil {
		return err
	}
	if s.Verbose {
		excerpts(w, s, counted)
	}
	if err := c.warn(w, s); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, c.paintedSummary(s))
	return err
}

// drift counts an origin's differences, those that do not count apart.
func (o Origin) drift() string {
	text := Counts(o.Counts)
	switch {
	case o.Tolerated > 0 && len(o.Counts) == 0:
		return fmt.Sprintf("%d tolerated", o.Tolerated)
	case o.Tolerated > 0:
		return fmt.Sprintf("%s (%d tolerated)", text, o.Tolerated)
	}
	return text
}

// remarks says what is worth knowing of an origin, each on a line.
func (o Origin) remarks(w io.Writer, s Style) {
	name := clean(o.Name)
	if o.Error != "" {
		fmt.Fprintf(w, "%s: %s: %s%s\n", name, s.state(diff.CannotBeSeen), clean(o.Error), clean(o.excuse()))
	}
	for _, warning := range o.warnings() {
		fmt.Fprintf(w, "%s: %s: %s\n", name, s.paint(yellow, "warning"), warning)
	}
	if len(o.Noise) > 0 {
		fmt.Fprintf(w, "%s: noise: %s\n", name, clean(o.noise()))
	}
	if o.Recovered > 0 {
		fmt.Fprintf(w, "%s: %s\n", name, o.recovered())
	}
	if facts := o.facts(); facts != "" && (s.Verbose || o.TLS != nil) {
		fmt.Fprintf(w, "%s: %s\n", name, clean(facts))
	}
}

// excuse says why an origin's error does not count.
func (o Origin) excuse() string {
	if o.ErrorTolerated == "" {
		return ""
	}
	return " (tolerated: " + o.ErrorTolerated + ")"
}

// soonDays is how near a certificate's end is warned of.
const soonDays = 14

// warnings lists what will be a fault soon, or is one that no page shows. The text is safe.
func (o Origin) warnings() []string {
	var all []string
	if o.TLS != nil && o.TLS.DaysLeft != nil {
		switch days, on := *o.TLS.DaysLeft, o.TLS.Expires.UTC().Format(time.DateOnly); {
		case days < 0:
			all = append(all, fmt.Sprintf("the certificate expired on %s", on))
		case days == 0:
			all = append(all, fmt.Sprintf("the certificate expires within a day, on %s", on))
		case days <= soonDays:
			all = append(all, fmt.Sprintf("the certificate expires in %s, on %s", humanize.Plural(days, "day"), on))
		}
	}
	if o.Mixed > 0 {
		all = append(all, clip(clean(o.mixed()), maxWarning))
	}
	return all
}

// maxWarning bounds, in runes, a warning that shows what an origin sent.
const maxWarning = 500

// mixed tells of mixed content. The text is not safe.
func (o Origin) mixed() string {
	text := humanize.Plural(o.Mixed, "http:// resource") + " embedded in https pages (mixed content: browsers refuse it)"
	if o.MixedActive > 0 {
		text += fmt.Sprintf(", %d of them active", o.MixedActive)
	}
	var examples []string
	for _, r := range o.Embeds {
		examples = append(examples, fmt.Sprintf("%s loads %s %s", r.Page, r.Element, r.URL))
	}
	if len(examples) > 0 {
		text += ": " + strings.Join(examples, "; ")
	}
	return text
}

// maxNoise is how many noisy paths are named.
const maxNoise = 5

func (o Origin) noise() string {
	var named []string
	for _, path := range o.Noise[:min(len(o.Noise), maxNoise)] {
		named = append(named, shown(path))
	}
	text := humanize.Plural(len(o.Noise), "path") + " differed on every request, so not judged: " + strings.Join(named, ", ")
	if n := len(o.Noise) - maxNoise; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

func (o Origin) recovered() string {
	return humanize.Plural(o.Recovered, "page") + " gave a wrong answer first, and the right one when requested again"
}

// facts says how an origin serves. The text is not safe.
func (o Origin) facts() string {
	var all []string
	if o.Protocol != "" {
		all = append(all, o.Protocol)
	}
	if o.TLS != nil {
		all = append(all, o.TLS.Version)
		if o.TLS.Expires != nil {
			all = append(all, "certificate until "+o.TLS.Expires.UTC().Format(time.DateOnly)+o.TLS.names())
		}
		hsts := "HSTS"
		if o.HSTS == "" {
			hsts = "no HSTS"
		}
		all = append(all, hsts)
		if o.HTTP != nil {
			all = append(all, "http:// "+o.HTTP.Said)
		}
	}
	if o.Trusted > 0 {
		all = append(all, humanize.Plural(o.Trusted, "page")+" trusted to be unchanged")
	}
	if o.OwnLinks > 0 {
		all = append(all, humanize.Plural(o.OwnLinks, "link")+" to its own host taken for relative")
	}
	return strings.Join(all, ", ")
}

// maxCertificateNames is how many names of a certificate the text shows.
const maxCertificateNames = 3

// names tells for what a certificate is. The text is not safe.
func (t TLS) names() string {
	if len(t.Names) == 0 {
		return ""
	}
	text := " for " + strings.Join(t.Names[:min(len(t.Names), maxCertificateNames)], ", ")
	if n := len(t.Names) - maxCertificateNames; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

func (c Check) driftTable(w io.Writer, s Style, rows []Drift) error {
	if len(rows) == 0 {
		return nil
	}
	t := s.table(w, "origin", "kind", "path", "detail")
	shown, hidden := tableRows(rows, maxDrift, s.All)
	for _, r := range shown {
		t.row(clean(r.Origin), s.paint(red, string(r.Kind)), clip(clean(r.path()), maxCell), clip(clean(c.rowDetail(r)), maxCell))
	}
	if err := t.render(); err != nil {
		return err
	}
	return more(w, hidden)
}

func (c Check) passedTable(w io.Writer, s Style, rows []Drift) error {
	if len(rows) == 0 {
		return nil
	}
	t := s.table(w, "origin", "tolerated", "path", "detail", "by")
	shown, hidden := tableRows(rows, maxDrift, s.All)
	for _, r := range shown {
		t.row(clean(r.Origin), s.paint(yellow, string(r.Kind)), clip(clean(r.path()), maxCell), clip(clean(c.rowDetail(r)), maxCell), clean(r.Tolerated))
	}
	if err := t.render(); err != nil {
		return err
	}
	return more(w, hidden)
}

func (d Drift) shown() string { return shown(d.Path) }

// shown is a path as people know it: a site's root is "/".
func shown(path string) string { return cmp.Or(path, "/") }

func more(w io.Writer, hidden int) error {
	if hidden == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "… and %d more (--all shows every one)\n", hidden)
	return err
}

// rowDetail is the detail of a difference, or of the first of those that a row stands for.
func (c Check) rowDetail(r row) string {
	if r.more == 0 {
		return c.detail(r.Drift)
	}
	text := humanize.Plural(1+r.more, "path") + ", as " + r.shown()
	if detail := c.detail(r.Drift); detail != "" {
		text += ": " + detail
	}
	return text
}

// detail says of a difference what people want to know: of which release it is, how old that
// is, where the visitor is sent. The text is not safe.
func (c Check) detail(d Drift) string {
	detail := d.Detail
	if d.Location != "" {
		detail += ": " + d.Location
	}
	if d.Release == site.None {
		return detail
	}
	var known []string
	if !strings.Contains(detail, d.Release.Short()) {
		if d.Behind > 0 {
			known = append(known, fmt.Sprintf("%d behind", d.Behind))
		}
		known = append(known, "of release "+d.Release.Short())
	}
	if !d.Published.IsZero() {
		known = append(known, "published "+age(c.Started.Sub(d.Published)))
	}
	if detail != "" {
		known = append([]string{detail}, known...)
	}
	return strings.Join(known, ", ")
}

// age shows how long before the check something was.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "later"
	case d < 2*time.Minute:
		return humanize.Plural(int(d/time.Second), "second") + " earlier"
	case d < 2*time.Hour:
		return humanize.Plural(int(d/time.Minute), "minute") + " earlier"
	case d < 2*day:
		return humanize.Plural(int(d/time.Hour), "hour") + " earlier"
	}
	return humanize.Plural(int(d/day), "day") + " earlier"
}

// excerpts shows how bytes differ. The bar before each line keeps a runner from taking a
// page's line for a command.
func excerpts(w io.Writer, s Style, rows []Drift) {
	for _, d := range rows[:min(len(rows), maxDrift)] {
		if d.Excerpt == "" {
			continue
		}
		fmt.Fprintf(w, "%s on %s:\n", clip(clean(d.shown()), maxCell), clean(d.Origin))
		for line := range strings.SplitSeq(d.Excerpt, "\n") {
			fmt.Fprintf(w, "  | %s\n", s.diffLine(line))
		}
	}
}

func (s Style) diffLine(line string) string {
	switch {
	case strings.HasPrefix(line, "-"):
		return s.paint(red, clean(line))
	case strings.HasPrefix(line, "+"):
		return s.paint(green, clean(line))
	}
	return clean(line)
}
