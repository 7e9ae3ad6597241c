package vantage

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/site"
)

// TestAnAgentLooksAtItsOriginsAlone has items ask for addresses that the agent was not enrolled for.
func TestAnAgentLooksAtItsOriginsAlone(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer inner.Close()
	l := &Looker{Pins: []Pin{{URL: "https://blog.example/"}, {URL: "https://shop.example/", Address: "203.0.113.7"}}}
	for _, o := range []Origin{
		{URL: inner.URL + "/"},
		{URL: "https://blog.example/", Address: strings.TrimPrefix(inner.URL, "http://")},
		{URL: "https://blog.example/../"},
		{URL: "https://blog.example"},
		{URL: "https://shop.example/"},
	} {
		o.Name, o.Timeout = "web", time.Second
		r := l.Look(t.Context(), Item{Kind: KindItem, Protocol: Protocol, Limit: time.Minute, Origins: []Origin{o}, Files: []File{{Path: "a.html"}}})
		if !strings.Contains(r.Refused, "not an origin that it was enrolled for") {
			t.Errorf("%+v: got %+v", o, r)
		}
	}
	if r := l.Look(t.Context(), Item{Protocol: Protocol + 1, Origins: []Origin{{URL: "https://blog.example/"}}}); !strings.Contains(r.Refused, fmt.Sprintf("version %d of the protocol", Protocol+1)) {
		t.Errorf("another protocol: got %q", r.Refused)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// TestFalseResults are those that cannot be true of what was dealt.
func TestFalseResults(t *testing.T) {
	item := Item{Files: []File{{Path: "a.html"}, {Path: "b.html"}, {Path: "near.html", Known: true}}, Absent: []string{"gone.html"}, Origins: []Origin{{Name: "web", URL: "https://blog.example/"}}}
	true0 := diff.OriginVerdict{Name: "web", URL: "https://blog.example/", Pages: 2, Match: 2}
	now := time.Now()
	with := func(change func(v *diff.OriginVerdict)) Result {
		v := true0
		change(&v)
		return Result{Origins: []Seen{{OriginVerdict: v}}}
	}
	row := func(d diff.Difference) Result {
		return with(func(v *diff.OriginVerdict) {
			d.Origin, v.Match = "web", 1
			v.Differences = []diff.Difference{d}
		})
	}
	for name, r := range map[string]Result{
		"no origin":           {},
		"another origin":      with(func(v *diff.OriginVerdict) { v.Name = "shop" }),
		"another address":     with(func(v *diff.OriginVerdict) { v.URL = "https://evil.example/" }),
		"more pages":          with(func(v *diff.OriginVerdict) { v.Pages, v.Match = 1000, 1000 }),
		"fewer pages":         with(func(v *diff.OriginVerdict) { v.Pages, v.Match = 1, 1 }),
		"more matches":        with(func(v *diff.OriginVerdict) { v.Match = 3 }),
		"negative":            with(func(v *diff.OriginVerdict) { v.Requests = -1 }),
		"trusted":             with(func(v *diff.OriginVerdict) { v.Trusted = 1 }),
		"noise elsewhere":     with(func(v *diff.OriginVerdict) { v.Noise = []string{"c.html"} }),
		"a page not dealt":    row(diff.Difference{Path: "c.html", Kind: diff.Missing}),
		"a page only known":   row(diff.Difference{Path: "near.html", Kind: diff.Missing}),
		"a kind that is none": row(diff.Difference{Path: "a.html", Kind: "hacked"}),
		"a row for many":      row(diff.Difference{Path: "*", Kind: diff.Missing, Pages: 1 << 40}),
		"a rule of its own":   row(diff.Difference{Path: "a.html", Kind: diff.Missing, Tolerated: "always"}),
		"rows without an end": with(func(v *diff.OriginVerdict) { v.Differences = make([]diff.Difference, 1000) }),
		"another origin's rows": with(func(v *diff.OriginVerdict) {
			v.Differences = []diff.Difference{{Origin: "shop", Path: "a.html", Kind: diff.Missing}}
		}),
	} {
		if _, err := accept(item, r, now, now); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	asked, answered := now.Add(-time.Second), now
	good := row(diff.Difference{Path: "a.html", Kind: diff.Altered, Detail: strings.Repeat("é", maxText), Release: site.ID("x"), Places: []string{"nyc"}, Asked: now.Add(time.Hour), Answered: now.Add(-9999 * time.Hour)})
	all, err := accept(item, good, asked, answered)
	if err != nil {
		t.Fatal(err)
	}
	d := all[0].Differences[0]
	if len(d.Detail) > maxText || d.Release != site.None || d.Places != nil || !d.Asked.Equal(asked) || !d.Answered.Equal(answered) {
		t.Errorf("got %+v", d)
	}
}

// TestMessagesAreBounded decodes what is no message, and one that grows without an end.
func TestMessagesAreBounded(t *testing.T) {
	bomb, err := Encode(strings.Repeat("a", 2*maxMessage))
	if err != nil {
		t.Fatal(err)
	}
	var item Item
	for _, data := range [][]byte{nil, []byte("{}"), bomb} {
		if err := Decode(data, &item); err == nil {
			t.Errorf("%d bytes: decoded", len(data))
		}
	}
	r := Result{Origins: []Seen{{OriginVerdict: diff.OriginVerdict{Differences: make([]diff.Difference, 1000)}}}}
	for i := range r.Origins[0].Differences {
		r.Origins[0].Differences[i].Detail = strings.Repeat(string(rune('a'+i%26)), i)
	}
	data, err := EncodeResult(r, 2000)
	if err != nil || len(data) > 2000 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	var back Result
	if err := Decode(data, &back); err != nil || diff.PagesOf(back.Origins[0].Differences) != 1000 {
		t.Errorf("%d differences are counted, %v", diff.PagesOf(back.Origins[0].Differences), err)
	}
}
