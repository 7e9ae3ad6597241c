package diff_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mirror/diff"
	"mirror/site"
)

// The answers of the cases below, by the first letters of what they do.
func answerOf(word string) diff.Answer {
	a := diff.Answer{Status: 200, Type: "text/html", Digest: site.Digest{1}, Size: 10}
	switch kind, rest, _ := strings.Cut(word, ":"); kind {
	case "page": // page:X serves the bytes X
		a.Digest = site.Digest{rest[0]}
		a.Hostless = a.Digest
	case "host": // host:XY serves the bytes X, which are Y but for links to its own host
		a.Digest, a.Hostless = site.Digest{rest[0]}, site.Digest{rest[1]}
	case "type":
		a.Type = rest
	case "save":
		a.Attached = true
	case "refresh":
		a.Location, a.Target, a.Away = rest, rest, strings.Contains(rest, "//")
	case "nowhere":
		a.Status, a.Location, a.Target, a.Away = 404, rest, rest, true
	case "to":
		a.Status, a.Location, a.Target, a.Away = 301, rest, rest, strings.Contains(rest, "//")
	case "down":
		a.Status, a.Digest, a.Err = 0, site.Digest{}, errors.New("timeout")
	case "noise":
		a.Unsteady = true
	default:
		fmt.Sscan(kind, &a.Status)
	}
	switch a.Status {
	case 401, 403: // of an origin that serves other pages, and refuses a path that never existed by 403
		a.Removed = &diff.Removed{Path: "x", Absence: diff.Absence{Unknown: 403, Serves: true}}
	}
	return a
}

func answersOf(words string) (all []diff.Answer) {
	for i, word := range strings.Fields(words) {
		a := answerOf(word)
		a.Origin = string(rune('a' + i))
		all = append(all, a)
	}
	return all
}

func differing(r diff.Ruling) string {
	var all []string
	for _, d := range r.Differ {
		all = append(all, d.Origin+" "+string(d.Kind))
	}
	return strings.Join(all, ", ")
}

func TestMajority(t *testing.T) {
	for _, c := range []struct{ answers, want, detail string }{
		{"page:x page:x page:x", "", ""},
		{"page:x page:y page:x", "b altered", "10 bytes; 2 of 3 origins serve others"},
		{"page:x 404 page:x", "b missing", "answered 404; 2 of 3 origins serve it"},
		{"page:x 403 page:x", "b missing", "answered 403"},
		{"404 page:x 410", "b extra", "served; 2 of 3 origins say that there is no such page"},
		{"page:x to:other page:x", "b redirected", "answered 301; 2 of 3 origins serve it"},
		{"page:x to://shut.example/ page:x", "b redirected", "away to the host shut.example"},
		{"to:x page:x to:x", "b altered", "lead to x"},
		{"to:x to:y to:x", "b redirected", "lead to x"},
		{"to:x 404 to:x", "b missing", ""},
		{"200 type:text/plain 200", "b mistyped", "Content-Type text/plain; 2 of 3 origins say text/html"},
		{"200 type:text/html;charset=UTF-8 200", "", ""},
		{"200 type:text/html;charset=gbk 200", "b mistyped", ""},
		{"200 save 200", "b mistyped", "sent as a download (Content-Disposition: attachment); 2 of 3 origins show it"},
		{"save 200 save", "b mistyped", "Content-Type text/html; 2 of 3 origins send it as a download"},
		{"200 type:application/xhtml+xml 200", "b mistyped", "Content-Type application/xhtml+xml; 2 of 3 origins say text/html"},
		{"200 refresh://shut.example/ 200", "b redirected", "leads on by a Refresh header, away to the host shut.example; 2 of 3 origins serve"},
		{"refresh:x refresh:y refresh:x", "b redirected", "lead to x"},
		{"refresh:x 200 refresh:x", "b altered", "lead to x"},
		{"refresh:x refresh:x", "", ""},
		{"page:x 503 page:x", "b unreachable", "answered 503"},
		{"page:x down page:x", "b unreachable", "timeout"},
		{"503 503 503", "a unreachable, b unreachable, c unreachable", "answered 503"},
		{"429 400 503", "a unreachable, b unreachable, c unreachable", ""},
		{"page:x down down", "b unreachable, c unreachable", ""},
		{"404 404 404", "", ""},
		{"page:x 204 page:x", "b altered", "answered 204"},
		{"page:x page:y", "a altered, b altered", "tie: differs from b (10 bytes)"},
		{"page:x 404", "a extra, b missing", "tie: differs from b (served)"},
		{"page:x to:y", "a altered, b redirected", "tie: differs from b"},
		{"page:x page:y page:z", "a altered, b altered, c altered", "tie: differs from b and c"},
		{"page:x page:y page:x page:y", "a altered, b altered, c altered, d altered", "tie: like c, differs from b and d"},
		{"page:x page:y down", "a altered, b altered, c unreachable", "tie"},
		{"page:x page:y page:z page:x page:w", "b altered, c altered, e altered", "2 of 5"},
		{"noise page:x page:x", "a altered", "another on each read"},
		{"noise noise page:x", "a altered, b altered", ""},
		{"host:ac host:bc", "", ""},
		{"host:ac host:bc page:y", "c altered", "2 of 3"},
		{"host:ac host:bd", "a altered, b altered", "tie"},
		{"page:a host:ac host:bc", "", ""}, // a and b are the same as sent, b and c but for hosts
	} {
		r := diff.Majority("index.html", answersOf(c.answers))
		if got := differing(r); got != c.want {
			t.Errorf("%s: got %q, want %q", c.answers, got, c.want)
		}
		if len(r.Differ) > 0 && !strings.Contains(r.Differ[0].Detail, c.detail) {
			t.Errorf("%s: detail %q, want %q", c.answers, r.Differ[0].Detail, c.detail)
		}
	}
}

func TestMajorityTellsMore(t *testing.T) {
	if r := diff.Majority("x", answersOf("page:x page:y page:x")); r.Differ[0].Want != (site.Digest{'x'}) || r.Differ[0].Got != (site.Digest{'y'}) || r.Tie {
		t.Errorf("got %+v", r)
	}
	if r := diff.Majority("x", answersOf("page:x page:y")); !r.Tie || !r.Differ[0].Want.IsZero() || !r.Differ[1].Want.IsZero() {
		t.Errorf("got %+v", r)
	}
	if r := diff.Majority("x", answersOf("404 410")); !r.Gone || r.Away {
		t.Errorf("got %+v", r)
	}
	if r := diff.Majority("x", answersOf("404 401")); !r.Gone || !r.Closed {
		t.Errorf("got %+v", r)
	}
	if r := diff.Majority("x", answersOf("200 401")); r.Gone || r.Closed {
		t.Errorf("got %+v", r)
	}
	if r := diff.Majority("x", answersOf("refresh://y.example/ refresh://y.example/")); !r.Away {
		t.Errorf("got %+v", r)
	}
	if r := diff.Majority("x", answersOf("to://y.example/ to://y.example/")); !r.Away || r.Gone {
		t.Errorf("got %+v", r)
	}
	if r := diff.Majority("x", answersOf("host:ac host:bc page:y")); !slices.Equal(r.Forgiven, []int{0, 1}) {
		t.Errorf("got %+v", r)
	}
	if r := diff.Majority("x", answersOf("page:x down")); len(r.Agree) != 0 {
		t.Errorf("one answer agrees with nobody: got %+v", r)
	}
	if r := diff.Majority("logo.png", answersOf("type:image/png type:application/octet-stream type:text/html")); differing(r) != "c mistyped" {
		t.Errorf("got %q", differing(r))
	}
}

// TestMajorityTakesTypesAsBrowsersDo has two types for one file: are they to visitors the same?
func TestMajorityTakesTypesAsBrowsersDo(t *testing.T) {
	for _, c := range []struct {
		path, a, b string
		same       bool
	}{
		{"robots.txt", "text/plain", "text/plain; charset=UTF-8", true},
		{"robots.txt", "text/plain", "application/octet-stream", false},
		{"robots.txt", "text/plain; charset=utf-8", "text/plain; charset=gbk", false},
		{"robots.txt", "text/plain", "text/html", false},
		{"a.pdf", "application/pdf", "application/zip", false},
		{"a.pdf", "application/octet-stream", "application/zip", true},
		{"feed.xml", "text/xml", "application/rss+xml", true},
		{"feed.xml", "text/xml", "application/octet-stream", false},
		{"a.html", "text/html", "application/xhtml+xml", false},
		{"a.js", "text/javascript", "application/javascript", true},
		{"a.js", "text/javascript", "text/plain", false},
		{"a.zip", "application/zip", "application/octet-stream", true},
		{"a.zip", "application/zip", "text/html", false},
		{"a.woff2", "font/woff2", "application/octet-stream", true},
		{"a.json", "application/json", "application/octet-stream", true},
		{"a.md", "text/markdown", "application/octet-stream", true},
		{"a.png", "image/png", "application/octet-stream", true},
		{"a.png", "image/png", "text/plain", false},
		{"LICENSE", "text/plain", "application/octet-stream", true},
	} {
		all := answersOf("200 200")
		all[0].Type, all[1].Type = c.a, c.b
		if same := len(diff.Majority(c.path, all).Differ) == 0; same != c.same {
			t.Errorf("%s as %s and %s: same is %v", c.path, c.a, c.b, same)
		}
	}
	all := answersOf("200 save")
	all[0].Type, all[1].Type = "application/zip", "application/zip"
	if r := diff.Majority("a.zip", all); len(r.Differ) > 0 {
		t.Errorf("what is stored anyway: got %+v", r)
	}
}

func TestNotFoundMajority(t *testing.T) {
	for _, c := range []struct{ answers, want, detail string }{
		{"404 404 410", "", ""},
		{"404 404 200", "c altered", "answers 200, not 404"},
		{"200 200 200", "a altered, b altered, c altered", "answers 200"},
		{"404 to:home 404", "b redirected", "answers 301, not 404"},
		{"404 403 404", "", ""},
		{"404 503 404", "b unreachable", "answered 503"},
		{"404 nowhere://shut.example/ 404", "b redirected", "the not-found page: leads on by a Refresh header"},
		{"down 503 404", "a unreachable, b unreachable", "timeout"},
	} {
		r := diff.NotFoundMajority("not-found", answersOf(c.answers))
		if got := differing(r); got != c.want {
			t.Errorf("%s: got %q, want %q", c.answers, got, c.want)
		}
		if len(r.Differ) > 0 && !strings.Contains(r.Differ[0].Detail, c.detail) {
			t.Errorf("%s: detail %q, want %q", c.answers, r.Differ[0].Detail, c.detail)
		}
	}
	bodies := answersOf("404 404 404")
	bodies[1].Digest, bodies[1].Size = site.Digest{9}, 12
	r := diff.NotFoundMajority("not-found", bodies)
	if differing(r) != "b altered" || r.Differ[0].Status != 404 || r.Differ[0].Detail != "the not-found page: 12 bytes; 2 of 3 origins serve 10" {
		t.Errorf("got %+v", r)
	}
}

// TestMajorityIsFair holds for any answers: what is the same is judged the same, wherever
// it stands, and nobody both agrees and differs.
func TestMajorityIsFair(t *testing.T) {
	words := []string{"save", "refresh://y/", "page:x", "page:y", "404", "403", "503", "down", "to:x", "to://y/", "noise", "host:ac", "host:bc", "type:text/plain"}
	rapid.Check(t, func(t *rapid.T) {
		all := answersOf(strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 2, 6).Draw(t, "answers"), " "))
		r := diff.Majority("index.html", all)
		turned := slices.Clone(all)
		slices.Reverse(turned)
		back := diff.Majority("index.html", turned)
		kindOf := map[string]diff.Kind{}
		for _, d := range r.Differ {
			kindOf[d.Origin] = d.Kind
		}
		for _, i := range r.Agree {
			if _, both := kindOf[all[i].Origin]; both {
				t.Fatalf("%s agrees and differs", all[i].Origin)
			}
		}
		if len(back.Differ) != len(r.Differ) || len(back.Agree) != len(r.Agree) || back.Tie != r.Tie {
			t.Fatalf("turned around: got %+v, want %+v", back, r)
		}
		if r.Tie && len(r.Agree) > 0 {
			t.Fatalf("a tie with a reference: %+v", r)
		}
	})
}
