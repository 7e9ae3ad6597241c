package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func composeOne(change Change, e Event, now time.Time) Message {
	return compose([]News{{Change: change, Event: e.bounded(now), Changes: 14, Since: now.Add(-2 * time.Hour), Steady: 10 * time.Minute}}, now)
}

func TestWhatADriftSays(t *testing.T) {
	now := time.Date(2026, 11, 22, 13, 9, 0, 0, time.UTC)
	e := Event{Kind: Drift, Episode: "7", Origin: "bucket", Opened: now.Add(-5 * time.Minute), Counts: map[string]int{"missing": 1, "stale": 8},
		Paths: []string{"about/index.html", "my_page.html", "c", "d", "e", "f"}, Lines: []string{"the live release is 3 behind"},
		URL: "https://status.example.com/episodes/7"}
	m := composeOne(Opened, e, now)
	want := "bucket: 8 pages are stale, 1 page is missing\nSince 2026-11-22 13:04 UTC (5 m).\n  about/index.html\n  my_page.html\n  c\n  d\n  e\n" +
		"  and more\nthe live release is 3 behind\nNext: mirror check shows every page; mirror publish puts the release back.\n" +
		"https://status.example.com/episodes/7"
	if got := m.Title + "\n" + m.Text; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := composeOne(Settled, e, now).Title; got != "bucket: 8 pages are stale, 1 page is missing, steady after flapping (14 changes since 2026-11-22 11:09 UTC)" {
		t.Error(got)
	}
	if got := composeOne(Flapping, e, now).Title; got != "bucket is flapping, again 8 pages stale, 1 page missing; the next message comes when it is steady for 10 m" {
		t.Error(got)
	}
	e.Closed = now
	if got := composeOne(Closed, e, now); strings.Contains(got.Text, "Next:") || !strings.HasPrefix(got.Text, "From 2026-11-22 13:04 UTC to") {
		t.Error(got.Text)
	}
}

// TestTitles name the origin and say what happened to it.
func TestTitles(t *testing.T) {
	now := time.Date(2026, 11, 22, 13, 9, 0, 0, time.UTC)
	began, ended := now.Add(-20*time.Minute), now
	of := func(k Kind, pages map[string]int, paths ...string) Event {
		return Event{Kind: k, Origin: "pages", Opened: began, Counts: pages, Paths: paths}
	}
	down := of(Unreachable, map[string]int{"unreachable": 44}, "*")
	down.Reason = "connection refused"
	partly := of(Unreachable, map[string]int{"unreachable": 1}, "a.html")
	partly.Reason = "answered 503"
	failed := Event{Kind: PublishFailed, Title: "publish failed: no origin was changed", Reason: "s3: 403 Forbidden", Ended: "publishes succeed again", Opened: began}
	altered := of(Drift, map[string]int{"altered": 1}, "index.html")
	for _, c := range []struct {
		change Change
		event  Event
		ends   bool
		want   string
	}{
		{Opened, altered, false, "pages: 1 page is altered: index.html"},
		{Opened, of(Drift, map[string]int{"stale": 3}, "a", "b", "c"), false, "pages: 3 pages are stale"},
		{Opened, of(Drift, map[string]int{"mistyped": 2}), false, "pages: 2 pages are served with a wrong type"},
		{Opened, down, false, "pages is unreachable: connection refused"},
		{Opened, partly, false, "pages: 1 page is unreachable: answered 503"},
		{Opened, failed, false, "mirror: publish failed: no origin was changed: s3: 403 Forbidden"},
		{Closed, altered, true, "pages recovered after 20 m: 1 page was altered"},
		{Closed, down, true, "pages recovered after 20 m: it was unreachable"},
		{Passed, down, true, "pages recovered after 20 m: it was unreachable"},
		{Closed, failed, true, "mirror: publishes succeed again"},
		{Flapping, down, false, "pages is flapping, again unreachable; the next message comes when it is steady for 10 m"},
		{Flapping, altered, false, "pages is flapping, again 1 page altered; the next message comes when it is steady for 10 m"},
		{Settled, down, true, "pages recovered, steady after flapping (14 changes since 2026-11-22 11:09 UTC)"},
		{Settled, down, false, "pages is unreachable, steady after flapping (14 changes since 2026-11-22 11:09 UTC)"},
	} {
		if c.ends {
			c.event.Closed = ended
		}
		if got := composeOne(c.change, c.event, now).Title; got != c.want {
			t.Errorf("%s %s\n got %q\nwant %q", c.change, c.event.Kind, got, c.want)
		}
	}
}

func TestTitlesOfSeveralNews(t *testing.T) {
	stale := func(origin, kind string) News {
		return News{Change: Opened, Event: Event{Kind: Drift, Origin: origin, Counts: map[string]int{kind: 2}}}
	}
	ended := News{Change: Closed, Event: Event{Kind: Drift, Origin: "a"}}
	for want, news := range map[string][]News{
		"a: 2 pages are altered, 2 pages are stale":     {stale("a", "stale"), stale("a", "altered")},
		"a and b do not serve the release":              {stale("a", "stale"), stale("b", "altered")},
		"a, b, c and 2 others do not serve the release": {stale("a", "stale"), stale("b", "stale"), stale("c", "stale"), stale("d", "stale"), stale("e", "stale")},
		"a recovered from 2 problems":                   {ended, ended},
		"b and a: 1 new problem, 2 recovered":           {stale("b", "stale"), ended, ended},
	} {
		if got := compose(news, time.Now()).Title; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEveryKindHasWords(t *testing.T) {
	for _, kind := range Kinds() {
		w := phrasesFor(kind)
		if kind != Recovered && (w.is == " has a problem" || w.is == "" || w.are == "" || w.was == "" || w.noun == "") {
			t.Errorf("%s has %+v", kind, w)
		}
	}
}

// hostile are texts as an origin may serve them, each with what must not be in a message.
func hostile() map[string]string {
	return map[string]string{
		"@everyone look":                 "@everyone",
		"<!channel> now":                 "<!",
		"<@U12345>":                      "<@",
		"<https://evil.example|bank>":    "<https",
		"[click](https://evil.example/)": "](",
		"https://evil.example/":          "https://evil",
		"tg://user?id=1":                 "tg://",
		"<script>alert(1)</script>":      "<script",
		"&lt;b&gt;":                      "&lt;",
		"**bold** __under__ `code`":      "**",
		"```block```":                    "`",
		"||spoiler|| ~~gone~~":           "||",
		"# heading":                      "# heading",
		"a\nNext: rm -rf /":              "\nNext: rm",
		"a\r\nSubject: x":                "\r",
		"a\x1b[31mred":                   "\x1b",
		"a\u202egpj.exe":                 "\u202e",
		"a\u200bb":                       "\u200b",
		"\xff\xfe":                       "\xff",
		"here@example.com":               "@",
	}
}

func TestHostileTextsAreHarmlessEverywhere(t *testing.T) {
	now := time.Date(2026, 11, 22, 13, 9, 0, 0, time.UTC)
	for text, bad := range hostile() {
		e := Event{Kind: Drift, Episode: "1", Origin: text, Title: text, Reason: text, Lines: []string{text}, Paths: []string{text},
			Counts: map[string]int{text: 1}, Next: text, URL: "https://status.example.com/" + text}
		for _, change := range []Change{Opened, Closed, Passed, Flapping, Settled} {
			m := composeOne(change, e, now)
			group := compose([]News{{Change: change, Event: e.bounded(now)}, {Change: change, Event: e.bounded(now)}}, now)
			for _, got := range []string{m.Title, m.Text, group.Title, group.Text} {
				if strings.Contains(got, bad) {
					t.Errorf("%q is told by %q", bad, got)
				}
				harmless(t, got)
			}
		}
	}
}

func harmless(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%q is not UTF-8", text)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if i := strings.IndexFunc(line, func(c rune) bool { return !unicode.IsPrint(c) }); i >= 0 {
			t.Errorf("%q does not print", line)
		}
	}
	if utf8.RuneCountInString(text) > 1500 {
		t.Errorf("%d characters", utf8.RuneCountInString(text))
	}
}

func FuzzMessagesAreBoundedAndPlain(f *testing.F) {
	for text := range hostile() {
		f.Add(text, text, 3)
	}
	f.Add(strings.Repeat("宽", 5000), strings.Repeat("a/", 5000), 100)
	f.Fuzz(func(t *testing.T, a, b string, many int) {
		now := time.Date(2026, 11, 22, 13, 9, 0, 0, time.UTC)
		e := Event{Kind: Drift, Episode: "1", Origin: a, Title: b, Lines: slices.Repeat([]string{b}, min(max(0, many), 100)),
			Paths: slices.Repeat([]string{a}, min(max(0, many), 100)), Counts: map[string]int{a: 1, b: many}, Next: b, URL: a}
		m := composeOne(Opened, e, now)
		if strings.ContainsAny(m.Title, "\n<>@`*|&[]") || utf8.RuneCountInString(m.Title) > maxTitle {
			t.Errorf("title %q", m.Title)
		}
		if utf8.RuneCountInString(m.Title+"\n"+m.Text) > 1500 {
			t.Errorf("%d characters", utf8.RuneCountInString(m.Text))
		}
		body, _, _ := strings.Cut(m.Text, "\nhttp")
		if strings.ContainsAny(body, "<>@`*|&[]") || strings.Contains(body, "://") {
			t.Errorf("text %q", m.Text)
		}
		if !strings.Contains(m.Text, "\nNext: ") {
			t.Errorf("what to do next was cut off: %q", m.Text)
		}
		harmless(t, m.Title)
		harmless(t, m.Text)
	})
}

func TestSpans(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 s", 59 * time.Second: "59 s", 5 * time.Minute: "5 m", 80 * time.Minute: "1 h 20 m",
		51 * time.Hour: "2 d 3 h"} {
		if got := span(d); got != want {
			t.Errorf("%s is %q, want %q", fmt.Sprint(d), got, want)
		}
	}
}
