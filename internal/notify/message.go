package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Message is what one recipient gets at once. Its title and text are plain, bounded, and
// safe for services that read markup, mentions or links; its news are as they came.
type Message struct {
	// ID is the same whenever the same is told again, because an answer was lost.
	ID    string
	Title string // one line
	Text  string // what there is to say beside the title
	News  []News // never empty
	At    time.Time
}

// Bounds of a message, in characters: within what every service takes.
const (
	maxTitle = 120
	maxText  = 1500 - maxTitle - 1
	maxLine  = 160
	maxPaths = 5
)

// compose puts news into say.
func compose(news []News, at time.Time) Message {
	m := Message{ID: idOf(news), News: news, At: at}
	if len(news) == 1 {
		m.Title = cut(headline(news[0], at), maxTitle)
		m.Text = details(news[0], at)
		return m
	}
	m.Title = cut(summary(news), maxTitle)
	m.Text = overview(news, at)
	return m
}

// idOf names a message by what it tells.
func idOf(news []News) string {
	h := sha256.New()
	for _, n := range news {
		fmt.Fprintf(h, "%q %q %v %d\n", n.Change, n.Event.Episode, n.Event.closes(), n.Changes)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// details says the rest of one piece of news. What to do next is never cut off.
func details(n News, now time.Time) string {
	e := n.Event
	var lines []string
	switch {
	case e.closes():
		lines = append(lines, fmt.Sprintf("From %s to %s.", clock(e.Opened), clock(e.Closed)))
	default:
		lines = append(lines, fmt.Sprintf("Since %s (%s).", clock(e.Opened), span(e.lasted(now))))
	}
	if counts := countsOf(e); counts != "" && (e.Title != "" || n.Change != Opened) {
		lines = append(lines, "Pages: "+counts)
	}
	for _, path := range e.Paths[:min(len(e.Paths), maxPaths)] {
		lines = append(lines, "  "+cut(plain(path), maxLine))
	}
	if more := len(e.Paths) - maxPaths; more > 0 {
		lines = append(lines, "  and more")
	}
	title := cut(headline(n, now), maxTitle)
	for _, line := range e.Lines {
		if line == e.Reason && strings.Contains(title, plain(line)) {
			continue // it has been read
		}
		lines = append(lines, cut(plain(line), maxLine))
	}
	return within(lines, tail(e), maxText)
}

// tail is what to do next, and where to read more.
func tail(e Event) []string {
	var lines []string
	if !e.closes() {
		if next := cmp.Or(plain(e.Next), phrasesFor(e.Kind).next); next != "" {
			lines = append(lines, "Next: "+next)
		}
	}
	if link := safeLink(e.URL); link != "" {
		lines = append(lines, link)
	}
	return lines
}

// within joins lines, leaving out those that there is no room for before the last ones.
func within(lines, last []string, characters int) string {
	end := strings.Join(last, "\n")
	room := characters - utf8.RuneCountInString(end) - len("\n…\n")
	var out strings.Builder
	for i, line := range lines {
		room -= utf8.RuneCountInString(line) + 1
		if room < 0 {
			out.WriteString("…\n")
			break
		}
		out.WriteString(lines[i] + "\n")
	}
	return strings.TrimSpace(out.String() + end)
}

// overview lists several news, one in a line.
func overview(news []News, now time.Time) string {
	var lines []string
	for _, n := range news {
		line := "- " + cut(headline(n, now), maxLine)
		if !n.Event.closes() && n.Change != Settled {
			line += " (since " + clock(n.Event.Opened) + ")"
		}
		lines = append(lines, line)
	}
	return within(lines, tail(news[len(news)-1].Event), maxText)
}

func nameOf(e Event) string {
	if e.Origin == "" {
		return "mirror"
	}
	return cut(plain(e.Origin), 60)
}

// countsOf lists the pages that drift, by kind.
func countsOf(e Event) string {
	var parts []string
	for _, kind := range largest(e.Counts) {
		parts = append(parts, fmt.Sprintf("%d %s", e.Counts[kind], cut(plain(kind), 30)))
	}
	return strings.Join(parts, ", ")
}

// safeLink returns a link of our own, "" for anything that is not plainly one.
func safeLink(address string) string {
	u, err := url.Parse(address)
	if err != nil || !isWebhook(u) || u.Host == "" || u.User != nil || len(address) > maxField {
		return ""
	}
	text := u.String()
	odd := strings.ContainsFunc(text, func(c rune) bool { return notInName(c) && !strings.ContainsRune("/:?=#%+", c) })
	if odd || strings.Count(text, "://") > 1 {
		return ""
	}
	return text
}

func notInName(c rune) bool {
	return c != '-' && c != '_' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
}

// clock tells a time to people in any zone.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// span tells a duration in its two largest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	switch days := int(d.Hours()) / 24; {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d m", int(d.Minutes()))
	case days == 0:
		return fmt.Sprintf("%d h %d m", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d d %d h", days, int(d.Hours())%24)
	}
}
