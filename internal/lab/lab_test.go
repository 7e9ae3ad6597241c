package lab

import (
	"context"
	"net/http"
	"os"
	"testing"
	"time"

	"mirror/internal/lab/edge/edgetest"
	"mirror/internal/leaktest"
)

// start starts a lab until the test ends.
func start(t *testing.T, o Options) *Lab {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	l, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return l
}

// editor is what a person can do to a place.
type editor interface {
	Edit(context.Context, map[string][]byte) error
}

func TestEveryOriginIsEditedAtOnce(t *testing.T) {
	l := start(t, Options{Lag: time.Hour})
	edgetest.WantPage(t, l.Git.Origin, "", 404, "*")
	edgetest.WantPage(t, l.S3.Origin, "", 404, "*")
	edgetest.WantPage(t, l.Registry.Origin, "", 503, "*")
	for i, place := range []editor{l.Git, l.S3, l.Registry} {
		origin := l.Origins()[i]
		edit := func(files map[string][]byte) {
			t.Helper()
			if err := place.Edit(t.Context(), files); err != nil {
				t.Fatalf("%s: %v", origin.Name, err)
			}
		}
		edit(map[string][]byte{".nojekyll": {}, "index.html": []byte("home"), "a b/100%.txt": []byte("odd"), "404.html": []byte("gone"), "d/index.html": []byte("folder"), "empty": {}})
		edgetest.WantPage(t, origin, "", 200, "home")
		edgetest.WantPage(t, origin, "a%20b/100%25.txt", 200, "odd")
		edgetest.WantPage(t, origin, "d/", 200, "folder")
		edgetest.WantPage(t, origin, "missing", 404, "gone")
		edgetest.WantPage(t, origin, "empty", 200, "")
		edit(map[string][]byte{"index.html": []byte("new"), "a b/100%.txt": nil})
		edgetest.WantPage(t, origin, "", 200, "new")
		edgetest.WantPage(t, origin, "a%20b/100%25.txt", 404, "gone")
		edgetest.WantPage(t, origin, "d/", 200, "folder")
		edit(map[string][]byte{".mirror/secret": []byte("x")})
		edgetest.WantPage(t, origin, ".mirror/secret", 404, "gone")
	}
}

func TestFaultsAtTheEdge(t *testing.T) {
	l := start(t, Options{})
	for i, place := range []editor{l.Git, l.S3, l.Registry} {
		o := l.Origins()[i]
		if err := place.Edit(t.Context(), map[string][]byte{"index.html": []byte("home"), "about.html": []byte("about")}); err != nil {
			t.Fatal(err)
		}
		before := o.Requests()
		o.Override("/about.html", http.RedirectHandler("https://parked.example.com/", http.StatusMovedPermanently))
		status, _, header := edgetest.Get(t, o, "about.html")
		if status != 301 || header.Get("Location") != "https://parked.example.com/" {
			t.Errorf("%s: overridden page = %d to %q", o.Name, status, header.Get("Location"))
		}
		o.Override("/about.html", nil)
		edgetest.WantPage(t, o, "about.html", 200, "about")
		o.Down(true)
		if res, err := http.Get(o.URL); err == nil {
			res.Body.Close()
			t.Errorf("%s answers %d while it is down", o.Name, res.StatusCode)
		}
		o.Down(false)
		edgetest.WantPage(t, o, "", 200, "home")
		if got := o.Requests() - before; got < 4 {
			t.Errorf("%s counted %d requests, want 4 or more", o.Name, got)
		}
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	var l *Lab
	ended := leaktest.Run(t, func() {
		var err error
		if l, err = Start(t.Context(), Options{Dir: dir, Lag: time.Hour}); err != nil {
			t.Fatal(err)
		}
		for _, place := range []editor{l.Git, l.S3, l.Registry} {
			if err := place.Edit(t.Context(), map[string][]byte{"index.html": []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
	})
	for _, o := range l.Origins() {
		edgetest.WantPage(t, o, "", 200, "x")
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	ended()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
	if err := l.Git.Edit(t.Context(), map[string][]byte{"a": nil}); err == nil {
		t.Error("a closed lab can be edited")
	}
}
