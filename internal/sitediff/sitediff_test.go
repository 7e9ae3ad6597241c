package sitediff_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mirror/internal/origin"
	"mirror/internal/sitediff"
	"mirror/reports"
	"mirror/site"
	"mirror/targets/targettest"
)

func side(name string, files targettest.Files) sitediff.Side {
	return sitediff.OfRelease(reports.DiffSide{Name: name, Kind: "release"}, targettest.Release(files))
}

func lines(d reports.Diff) string {
	var all []string
	for _, c := range d.Changes {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", c.Status, c.OldPath, c.Path)))
	}
	return strings.Join(all, "\n")
}

// TestRenames pairs files by their content, then by a name that differs only in a hash.
func TestRenames(t *testing.T) {
	a := side("a", targettest.Files{
		"index.html": "home", "a/old.txt": "moved", "empty": "", "x/1.txt": "twin", "y/1.txt": "twin",
		"app.0123abcd.js": "run(1)", "css/main-AbCd1234.css": "body{}", "page-12345678.html": "numbers",
		"two.11111aaa.js": "two one", "two.22222aaa.js": "two two",
	})
	b := side("b", targettest.Files{
		"index.html": "home 2", "b/new.txt": "moved", "empty2": "", "z/1.txt": "twin", "z/2.txt": "twin",
		"app.4567cdef.js": "run(2)", "css/main-XyZw9876.css": "body{margin:0}", "page-87654321.html": "other numbers",
		"two.33333aaa.js": "two three",
	})
	want := `renamed app.0123abcd.js app.4567cdef.js
renamed a/old.txt b/new.txt
renamed css/main-AbCd1234.css css/main-XyZw9876.css
deleted  empty
added  empty2
changed  index.html
deleted  page-12345678.html
added  page-87654321.html
deleted  two.11111aaa.js
deleted  two.22222aaa.js
added  two.33333aaa.js
renamed x/1.txt z/1.txt
renamed y/1.txt z/2.txt`
	d := sitediff.Of(a, b)
	if got := lines(d); got != want || d.Same != 0 {
		t.Errorf("got %d the same and\n%s\nwant\n%s", d.Same, got, want)
	}
	sitediff.AddTexts(t.Context(), &d, a, b)
	if d.Changes[0].Diff == "" || d.Changes[1].Diff != "" || d.Changes[5].Diff == "" {
		t.Errorf("texts: got %+v", d.Changes)
	}
	if none := sitediff.Of(a, a); none.Differs() || none.Same != 10 {
		t.Errorf("got %d differences, %d the same", len(none.Changes), none.Same)
	}
}

// TestTextsAreBounded has more changed files than are compared, a large one, one that cannot be read and one
// of which only the digest is known.
func TestTextsAreBounded(t *testing.T) {
	old, next := targettest.Files{}, targettest.Files{}
	for i := range sitediff.MaxTexts + 3 {
		name := fmt.Sprintf("%03d.html", i)
		old[name], next[name] = "old", "new"
	}
	next["000.html"] = strings.Repeat("x", 1<<20+1)
	a, b := side("a", old), side("b", next)
	read := b.Read
	b.Read = func(ctx context.Context, f site.File) ([]byte, error) {
		if f.Path == "001.html" {
			return nil, errors.New("lost")
		}
		return read(ctx, f)
	}
	d := sitediff.Of(a, b)
	sitediff.AddTexts(t.Context(), &d, a, b)
	for i, want := range []string{"not compared: larger than 1 MiB", "not compared: b: lost", ""} {
		if d.Changes[i].Note != want || (d.Changes[i].Diff == "") != (want != "") {
			t.Errorf("%s: got %q and %q, want %q", d.Changes[i].Path, d.Changes[i].Note, d.Changes[i].Diff, want)
		}
	}
	if d.Undiffed != 3 || d.Changes[sitediff.MaxTexts].Diff != "" {
		t.Errorf("got %d without a diff, want 3", d.Undiffed)
	}
	a.Read = nil
	d = sitediff.Of(a, b)
	sitediff.AddTexts(t.Context(), &d, a, b)
	if want := "not compared: the content of a is not held anywhere"; d.Changes[2].Note != want {
		t.Errorf("got %q, want %q", d.Changes[2].Note, want)
	}
}

func endpoint(t *testing.T, h http.HandlerFunc) origin.Endpoint {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	return origin.Endpoint{Name: "www", URL: u, Options: origin.Options{Concurrency: 4, Timeout: time.Minute}}
}

// TestWhichOfTheTwoIsServed has an origin that serves the one, the other, neither, and nothing.
func TestWhichOfTheTwoIsServed(t *testing.T) {
	a := side("a", targettest.Files{"index.html": "1", "b.html": "1", "c.html": "1", "gone.html": "x", "d.html": "1"})
	b := side("b", targettest.Files{"index.html": "2", "b.html": "2", "c.html": "2", "new.html": "y", "d.html": "2"})
	at := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			fmt.Fprint(w, "1")
		case "/b.html":
			fmt.Fprint(w, "2")
		case "/c.html":
			fmt.Fprint(w, strings.Repeat("another page", 100_000))
		case "/d.html":
			panic(http.ErrAbortHandler)
		default:
			http.NotFound(w, r)
		}
	})
	d := sitediff.Of(a, b)
	sitediff.AddServed(t.Context(), &d, a, b, []origin.Endpoint{at})
	got := map[string]string{}
	for _, c := range d.Changes {
		got[c.Path] = c.Serves["www"]
	}
	want := map[string]string{"index.html": "a", "b.html": "b", "c.html": "other", "d.html": "unread", "gone.html": "b", "new.html": "a"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if o := d.Origins[0]; o.A != 2 || o.B != 2 || o.Other != 1 || o.Unread != 1 || o.Error == "" {
		t.Errorf("got %+v", o)
	}
}

// TestALiveSiteIsReadWithoutItsHost compares two hosts that name themselves in their pages.
func TestALiveSiteIsReadWithoutItsHost(t *testing.T) {
	pages := []origin.Page{{Path: "/"}, {Path: "/a", URL: "a"}, {Path: "/none", URL: "none"}, {Path: "/broken", URL: "broken"}}
	read := func(text string) (sitediff.Side, []sitediff.Unread) {
		at := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			switch r.URL.Path {
			case "/":
				fmt.Fprintf(w, "<link href=http://%s/a>same", r.Host)
			case "/a":
				fmt.Fprint(w, text)
			case "/broken":
				w.WriteHeader(http.StatusForbidden)
			default:
				http.NotFound(w, r)
			}
		})
		client := origin.New(at)
		t.Cleanup(client.Close)
		s, unread, err := sitediff.Live(t.Context(), client, pages, true)
		if err != nil {
			t.Fatal(err)
		}
		return s, unread
	}
	a, unread := read("one\n")
	b, _ := read("two\n")
	d := sitediff.Of(a, b)
	sitediff.AddTexts(t.Context(), &d, a, b)
	if len(d.Changes) != 1 || d.Same != 1 || d.Changes[0].Diff != "@@ -1,1 +1,1 @@\n-one\n+two\n" || d.Changes[0].OldSHA256 != fmt.Sprintf("%x", sha256.Sum256([]byte("one\n"))) {
		t.Errorf("got %+v", d)
	}
	if len(unread) != 1 || unread[0] != (sitediff.Unread{Path: "/broken", Why: "answered 403"}) {
		t.Errorf("unread: got %v", unread)
	}
}

// TestASiteThatFallsSilentIsGivenUp answers some pages and then nothing: the others are unread, and are not taken for
// missing ones.
func TestASiteThatFallsSilentIsGivenUp(t *testing.T) {
	stop := make(chan struct{})
	at := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			fmt.Fprint(w, "home")
			return
		}
		<-stop
	})
	t.Cleanup(func() { close(stop) }) // before the server is closed
	pages := []origin.Page{{Path: "index.html"}}
	for i := range 1000 {
		pages = append(pages, origin.Page{Path: fmt.Sprint(i), URL: fmt.Sprint(i)})
	}
	var s sitediff.Side
	var unread []sitediff.Unread
	err := errors.New("not asked yet")
	for at.Timeout = 100 * time.Millisecond; err != nil && at.Timeout < time.Minute; at.Timeout *= 4 { // a busy machine needs more
		client := origin.New(at)
		s, unread, err = sitediff.Live(t.Context(), client, pages, false)
		client.Close()
	}
	if err != nil || len(s.Manifest)+len(unread) != len(pages) || len(unread) < 1000 {
		t.Errorf("got %d pages, %d unread, %v", len(s.Manifest), len(unread), err)
	}
}
