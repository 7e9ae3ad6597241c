package diff_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/site"
)

const body = "<p>home"

func fileOf(path string) site.File {
	return site.File{Path: path, Size: int64(len(body)), Digest: sha256.Sum256([]byte(body))}
}

// answer is what an origin that does everything right gives for index.html.
func answer(change func(*site.Observation)) site.Observation {
	o := site.Observation{
		Path: "index.html", URL: "https://blog.example/", Status: 200, Size: int64(len(body)),
		Digest: sha256.Sum256([]byte(body)), Raw: sha256.Sum256([]byte(body)),
		Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
	}
	if change != nil {
		change(&o)
	}
	return o
}

func status(code int) func(*site.Observation) {
	return func(o *site.Observation) {
		o.Status, o.Digest, o.Raw = code, sha256.Sum256([]byte("error")), sha256.Sum256([]byte("error"))
	}
}

func redirect(code int, to string) func(*site.Observation) {
	return func(o *site.Observation) { o.Status = code; o.Header = http.Header{"Location": {to}} }
}

func TestJudgePage(t *testing.T) {
	other := sha256.Sum256([]byte("other"))
	for _, c := range []struct {
		name   string
		change func(*site.Observation)
		want   diff.Kind // "" where it agrees
	}{
		{"right", nil, ""},
		{"right once unpacked", func(o *site.Observation) { o.Raw = other }, ""},
		{"right as sent", func(o *site.Observation) { o.Digest = other }, ""},
		{"not there", status(404), diff.Missing},
		{"gone", status(410), diff.Missing},
		{"other bytes", func(o *site.Observation) { o.Digest, o.Raw = other, other }, diff.Altered},
		{"empty", func(o *site.Observation) { o.Digest, o.Raw, o.Size = sha256.Sum256(nil), sha256.Sum256(nil), 0 }, diff.Altered},
		{"too long", func(o *site.Observation) { o.Digest, o.Raw, o.Err = site.Digest{}, site.Digest{}, site.ErrTooLong }, diff.Altered},
		{"no content", func(o *site.Observation) { o.Status = 204 }, diff.Altered},
		{"a part", func(o *site.Observation) { o.Status = 206 }, diff.Altered},
		{"moved away", redirect(301, "https://parked.example/"), diff.Redirected},
		{"moved on the host", redirect(302, "/elsewhere"), diff.Redirected},
		{"moved to itself", redirect(308, "https://blog.example/"), diff.Redirected},
		{"server error", status(500), diff.Unreachable},
		{"right bytes in a server error", func(o *site.Observation) { o.Status = 503 }, diff.Unreachable},
		{"forbidden", status(403), diff.Unreachable},
		{"throttled", status(429), diff.Unreachable},
		{"not modified unasked", status(304), diff.Unreachable},
		{"no answer", func(o *site.Observation) { o.Status, o.Err = 0, errors.New("connection refused") }, diff.Unreachable},
		{"leads on", func(o *site.Observation) { o.Header.Set("Refresh", "0; url=https://parked.example/") }, diff.Redirected},
		{"loads itself again", func(o *site.Observation) { o.Header.Set("Refresh", "30") }, ""},
		{"leads to itself", func(o *site.Observation) { o.Header.Set("Refresh", "5; URL='/'") }, ""},
		{"attached", func(o *site.Observation) { o.Header.Set("Content-Disposition", "Attachment; filename=x") }, diff.Mistyped},
		{"inline", func(o *site.Observation) { o.Header.Set("Content-Disposition", "inline") }, ""},
		{"as XML", func(o *site.Observation) { o.Header.Set("Content-Type", "application/xhtml+xml") }, diff.Mistyped},
		{"cut", func(o *site.Observation) { o.Err = errors.New("cut") }, diff.Unreachable},
		{"plain text", func(o *site.Observation) { o.Header.Set("Content-Type", "text/plain") }, diff.Mistyped},
		{"download", func(o *site.Observation) { o.Header.Set("Content-Type", "application/octet-stream") }, diff.Mistyped},
		{"no type", func(o *site.Observation) { o.Header.Del("Content-Type") }, diff.Mistyped},
		{"garbled type", func(o *site.Observation) { o.Header.Set("Content-Type", ";;") }, diff.Mistyped},
		{"other charset", func(o *site.Observation) { o.Header.Set("Content-Type", "text/html; charset=iso-8859-1") }, diff.Mistyped},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, ok := diff.Judge(diff.Expectation{File: fileOf("index.html")}, answer(c.change))
			if ok != (c.want == "") || !ok && d.Kind != c.want {
				t.Errorf("got %v %q (%s), want %q", ok, d.Kind, d.Detail, c.want)
			}
			if !ok && d.Detail == "" {
				t.Error("no detail for people")
			}
		})
	}
}

// TestRedirectsSayWhatTheyShow tells the name of a backend from a move to another host.
func TestRedirectsSayWhatTheyShow(t *testing.T) {
	for _, c := range []struct{ to, want string }{
		{"http://backend.internal:8080/about/", "leaks the name of another host, backend.internal:8080"},
		{"https://cdn-7.example.net/about/", "leaks the name of another host"},
		{"http://10.0.0.7/parked", "leaks the name of another host"},
		{"https://parked.example/", "away to the host parked.example"},
		{"https://blog.example/elsewhere", "elsewhere on the same host"},
		{"http://blog.example/about", "to http"},
		{"file:/etc/passwd", "no page of the web"},
		{"", "no Location"},
	} {
		o := answer(redirect(301, c.to))
		o.URL = "https://blog.example/about"
		if d, ok := diff.Judge(diff.Expectation{File: fileOf("about.html")}, o); ok || d.Kind != diff.Redirected || !strings.Contains(d.Detail, c.want) {
			t.Errorf("%q: got %v %s %q, want %q", c.to, ok, d.Kind, d.Detail, c.want)
		}
	}
}

// TestNoStatusButOKAgrees tries every status with the right bytes.
func TestNoStatusButOKAgrees(t *testing.T) {
	for code := 100; code < 600; code++ {
		o := answer(func(o *site.Observation) { o.Status = code })
		if _, ok := diff.Judge(diff.Expectation{File: fileOf("index.html")}, o); ok != (code == 200) {
			t.Errorf("status %d: agrees %v", code, ok)
		}
	}
}

// TestJudgePastTheCaches tells a cache that is behind from an origin that is.
func TestJudgePastTheCaches(t *testing.T) {
	for _, c := range []struct {
		name   string
		past   func(*site.Observation)
		cached bool
	}{{"the origin is right", nil, true}, {"the origin is wrong, too", status(404), false}} {
		past := answer(c.past)
		d, ok := diff.Judge(diff.Expectation{File: fileOf("index.html")}, answer(func(o *site.Observation) { status(404)(o); o.PastCaches = &past }))
		if ok || d.Kind != diff.Missing || d.Cached != c.cached {
			t.Errorf("%s: got %v %s, cached %v", c.name, ok, d.Kind, d.Cached)
		}
	}
}

func TestJudgeAbsent(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*site.Observation)
		want   diff.Kind
	}{
		{"not there", status(404), ""}, {"forbidden", status(403), diff.Unreachable}, {"there", nil, diff.Extra},
		{"there and long", func(o *site.Observation) { o.Err = site.ErrTooLong }, diff.Extra},
		{"to the folder", redirect(301, "/docs/"), ""}, {"away", redirect(301, "https://parked.example/"), diff.Redirected},
		{"server error", status(502), diff.Unreachable}, {"no answer", func(o *site.Observation) { o.Status, o.Err = 0, errors.New("x") }, diff.Unreachable},
	} {
		d, ok := diff.Judge(diff.Expectation{File: site.File{Path: "old.html"}, Absent: true}, answer(c.change))
		if ok != (c.want == "") || !ok && d.Kind != c.want {
			t.Errorf("%s: got %v %q, want %q", c.name, ok, d.Kind, c.want)
		}
	}
}

func TestJudgeNotFound(t *testing.T) {
	page := fileOf("404.html")
	for _, c := range []struct {
		name   string
		page   site.File
		change func(*site.Observation)
		want   diff.Kind
	}{
		{"404 with the page", page, func(o *site.Observation) { o.Status = 404 }, ""},
		{"404 with another page", page, status(404), diff.Altered},
		{"404, no page configured", site.File{}, status(404), ""},
		{"410 with another page", page, status(410), diff.Altered},
		{"410, no page configured", site.File{}, status(410), ""},
		{"403, no page configured", site.File{}, status(403), ""},
		{"200 with the page", page, nil, diff.Altered},
		{"403, page configured", page, status(403), diff.Altered},
		{"200, no page configured", site.File{}, nil, diff.Altered},
		{"away", site.File{}, redirect(302, "https://parked.example/"), diff.Redirected},
		{"to the home page", site.File{}, redirect(302, "/"), diff.Redirected},
		{"500", page, status(500), diff.Unreachable},
	} {
		d, ok := diff.Judge(diff.Expectation{File: c.page, NotFound: true}, answer(c.change))
		if ok != (c.want == "") || !ok && d.Kind != c.want {
			t.Errorf("%s: got %v %q (%s), want %q", c.name, ok, d.Kind, d.Detail, c.want)
		}
		if named := strings.Fields(c.name)[0]; !ok && d.Status == 410 && !strings.Contains(d.Detail, named) {
			t.Errorf("%s: got %q, want the status named", c.name, d.Detail)
		}
	}
}

// TestTypesThatBrowsersTreatAlike must give no false alarm.
func TestTypesThatBrowsersTreatAlike(t *testing.T) {
	for _, c := range []struct {
		path, contentType string
		ok                bool
	}{
		{"a.js", "application/javascript", true}, {"a.js", "text/javascript; charset=UTF-8", true}, {"a.mjs", "application/octet-stream", false},
		{"a.css", "text/css", true}, {"feed.xml", "text/html", false}, {"notes.txt", "text/html", false}, {"data", "text/html", true}, {"a.css", "text/plain", false}, {"feed.xml", "text/xml", true}, {"data.json", "text/plain", true},
		{"x.ico", "image/vnd.microsoft.icon", true}, {"font.woff2", "application/octet-stream", true}, {"p.png", "image/jpeg", true},
		{"p.png", "text/html", false}, {"p.png", "text/plain", false}, {"p.jpg", "application/octet-stream", true}, {"p.jpg", "image/svg+xml", false}, {"i.svg", "image/png", false}, {"CNAME", "text/html", true}, {"a.htm", "text/html", true}, {"file", "", true},
	} {
		o := answer(func(o *site.Observation) { o.Header.Set("Content-Type", c.contentType) })
		if d, ok := diff.Judge(diff.Expectation{File: fileOf(c.path)}, o); ok != c.ok {
			t.Errorf("%s as %q: got %v (%s), want %v", c.path, c.contentType, ok, d.Detail, c.ok)
		}
	}
}

func TestTally(t *testing.T) {
	tally := func(change func(i int) func(*site.Observation)) diff.OriginVerdict {
		var tally diff.Tally
		for i := range 5 {
			tally.Add(diff.Expectation{File: fileOf(fmt.Sprintf("%d.html", i))}, answer(change(i)))
		}
		return tally.Verdict("pages", "https://blog.example/")
	}
	same := func(f func(*site.Observation)) func(int) func(*site.Observation) {
		return func(int) func(*site.Observation) { return f }
	}
	dead := func(o *site.Observation) { o.Status, o.Err = 0, errors.New("connection refused") }
	for _, c := range []struct {
		name  string
		give  func(int) func(*site.Observation)
		state diff.State
		paths []string
	}{
		{"all right", same(nil), diff.Agrees, nil},
		{"dead", same(dead), diff.CannotBeSeen, nil},
		{"parked", same(redirect(301, "https://parked.example/x")), diff.Drifts, []string{"*"}},
		{"one page for all", same(status(200)), diff.Drifts, []string{"*"}},
		{"503 for all", same(status(503)), diff.CannotBeSeen, []string{"*"}},
		{"one dead page", func(i int) func(*site.Observation) {
			if i == 3 {
				return dead
			}
			return nil
		}, diff.CannotBeSeen, []string{"3.html"}},
		{"one forbidden", func(i int) func(*site.Observation) {
			if i == 2 {
				return status(403)
			}
			return nil
		}, diff.Drifts, []string{"2.html"}},
		{"all forbidden", same(status(403)), diff.CannotBeSeen, []string{"*"}},
		{"one missing, one dead", func(i int) func(*site.Observation) {
			switch i {
			case 1:
				return dead
			case 2:
				return status(404)
			}
			return nil
		}, diff.Drifts, []string{"1.html", "2.html"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := tally(c.give)
			if v.State() != c.state {
				t.Errorf("state: got %s, want %s", v.State(), c.state)
			}
			var paths []string
			for _, d := range v.Differences {
				paths = append(paths, d.Path)
			}
			if fmt.Sprint(paths) != fmt.Sprint(c.paths) {
				t.Errorf("differences: got %q, want %q", paths, c.paths)
			}
			if (v.Err != nil) != (c.name == "dead") {
				t.Errorf("error: got %v", v.Err)
			}
		})
	}
}

func TestVerdict(t *testing.T) {
	right := diff.OriginVerdict{Name: "a"}
	altered := diff.OriginVerdict{Name: "b", Differences: []diff.Difference{{Path: "x", Kind: diff.Altered, Got: site.Digest{1}}}}
	other := diff.OriginVerdict{Name: "c", Differences: []diff.Difference{{Path: "x", Kind: diff.Altered, Got: site.Digest{2}}}}
	dead := diff.OriginVerdict{Name: "d", Err: errors.New("refused")}
	for _, c := range []struct {
		name                  string
		origins               []diff.OriginVerdict
		agree, drifted, alike bool
	}{
		{"none", nil, false, false, false},
		{"right", []diff.OriginVerdict{right, right}, true, false, true},
		{"one altered", []diff.OriginVerdict{right, altered}, false, true, false},
		{"altered alike", []diff.OriginVerdict{altered, altered}, false, true, true},
		{"altered each its way", []diff.OriginVerdict{altered, other}, false, true, false},
		{"one dead", []diff.OriginVerdict{right, dead}, false, false, false},
		{"all dead", []diff.OriginVerdict{dead, dead}, false, false, false},
	} {
		v := diff.Verdict{Origins: c.origins}
		if v.Agree() != c.agree || v.Drifted() != c.drifted || v.Alike() != c.alike {
			t.Errorf("%s: agree %v, drifted %v, alike %v; want %v, %v, %v", c.name, v.Agree(), v.Drifted(), v.Alike(), c.agree, c.drifted, c.alike)
		}
	}
}

func TestBetween(t *testing.T) {
	have := map[string]int{"same": 1, "changed": 1, "gone": 1}
	want := map[string]int{"same": 1, "changed": 2, "new": 1}
	got := diff.Between(have, want)
	if fmt.Sprint(got) != fmt.Sprint(diff.Changes{Add: []string{"new"}, Change: []string{"changed"}, Delete: []string{"gone"}, Same: 1}) || got.Empty() {
		t.Errorf("got %+v", got)
	}
}

func TestTallyKeepsTheSlowest(t *testing.T) {
	var tally diff.Tally
	for _, ms := range []int{3, 9, 1, 7, 7, 2, 8, 4} {
		tally.Add(diff.Expectation{File: fileOf(fmt.Sprint(ms))}, answer(func(o *site.Observation) {
			o.Asked = time.Unix(0, 0)
			o.Answered = o.Asked.Add(time.Duration(ms) * time.Millisecond)
		}))
	}
	var got []string
	for _, s := range tally.Verdict("a", "").Slowest {
		got = append(got, s.Path)
	}
	if fmt.Sprint(got) != "[9 8 7 7 4]" {
		t.Errorf("got %v", got)
	}
}
