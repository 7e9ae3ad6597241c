package html

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
	"mirror/reports"
)

// Show makes text from elsewhere readable: characters that are not seen, or that reorder
// what is, are written as escapes. Templates escape the rest.
func Show(text any) string {
	s := fmt.Sprint(text)
	if !strings.ContainsFunc(s, isHidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isHidden(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isHidden spares the ends of lines and tabs, which a page may hold.
func isHidden(r rune) bool { return r != '\n' && r != '\t' && reports.Hidden(r) }

// link returns an address that may be followed, "" for any other: only those of the web
// become links, whatever an origin calls its pages.
func link(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}

// line is one line of a unified diff.
type line struct {
	Class string // add, del or same
	Text  string
}

func lines(excerpt string) []line {
	var all []line
	for text := range strings.Lines(excerpt) {
		class := "same"
		switch text[0] {
		case '+':
			class = "add"
		case '-':
			class = "del"
		}
		all = append(all, line{class, strings.TrimSuffix(text, "\n")})
	}
	return all
}

// clock shows an instant, with the year only where it is another one.
func clock(t, now time.Time) string {
	t = t.UTC()
	if t.Year() != now.UTC().Year() {
		return t.Format("2 Jan 2006, 15:04:05")
	}
	return t.Format("2 Jan, 15:04:05")
}

func ago(d time.Duration) string {
	if d < 0 {
		return "in " + span(-d)
	}
	if d < time.Second {
		return "just now"
	}
	return span(d) + " ago"
}

// span shows a length of time for people: in the two largest units, so that what was short
// is exact.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 10*time.Minute && d%time.Minute != 0:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < day && d%time.Hour >= time.Minute:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d < day:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d < 10*day && d%day >= time.Hour:
		return fmt.Sprintf("%s %d h", humanize.Plural(int(d/day), "day"), d%day/time.Hour)
	}
	return humanize.Plural(int(d/day), "day")
}

// spanAtMost shows an upper bound as span does, and never less than it is.
func spanAtMost(d time.Duration) string {
	const day = 24 * time.Hour
	unit := time.Second
	switch {
	case d >= 10*day:
		unit = day
	case d >= day:
		unit = time.Hour
	case d >= 10*time.Minute:
		unit = time.Minute
	}
	if rest := d % unit; rest > 0 {
		d += unit - rest
	}
	return span(d)
}

// took shows how long something measured took.
func took(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return span(d)
}

// percent shows a share so that only all of it is 100.
func percent(part, all int) string {
	if all == 0 {
		return "–"
	}
	if part == all {
		return "100 %"
	}
	return strconv.FormatFloat(float64(part*10000/all)/100, 'f', 2, 64) + " %"
}

func fresh(p float64) string { return fmt.Sprintf("%.0f %%", 100*p) }

// sign is the mark beside a state or an outcome: colour is never the only sign.
func sign(state any) string {
	switch fmt.Sprint(state) {
	case string(diff.Agrees), "live", "unchanged", "done", "over":
		return "✓"
	case string(diff.Drifts), "diverged", "mixed", "failed", "panicked", "timed out", "open", foundDrift:
		return "✗"
	case string(diff.CannotBeSeen), "rolled_back", "interrupted", "warn":
		return "!"
	case "running", "":
		return "…"
	case "added":
		return "+"
	}
	return "?"
}

// withSign names a state or an outcome in words.
func withSign(state any) string {
	switch text := fmt.Sprint(state); text {
	case string(diff.Agrees):
		return "agrees"
	case string(diff.Drifts):
		return "drifts"
	case string(diff.Unknown):
		return "not checked yet"
	case "rolled_back":
		return "rolled back"
	case "":
		return "running"
	default:
		return Show(text)
	}
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
