package lab

import (
	"context"
	"io"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"
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

// page asks an origin for a path, following no redirect.
func page(t *testing.T, o *Origin, path string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", o.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header
}

func wantPage(t *testing.T, o *Origin, path string, status int, body string) {
	t.Helper()
	if gotStatus, got, _ := page(t, o, path); gotStatus != status || body != "*" && got != body {
		t.Errorf("%s: GET /%s = %d %.80q, want %d %.80q", o.Name, path, gotStatus, got, status, body)
	}
}

// editor is what a person can do to a place.
type editor interface {
	Edit(context.Context, map[string][]byte) error
}

func TestEveryOriginIsEditedAtOnce(t *testing.T) {
	l := start(t, Options{Lag: time.Hour})
	wantPage(t, l.Git.Origin, "", 404, "*")
	wantPage(t, l.S3.Origin, "", 404, "*")
	wantPage(t, l.Registry.Origin, "", 503, "*")
	for i, place := range []editor{l.Git, l.S3, l.Registry} {
		origin := l.Origins()[i]
		edit := func(files map[string][]byte) {
			t.Helper()
			if err := place.Edit(t.Context(), files); err != nil {
				t.Fatalf("%s: %v", origin.Name, err)
			}
		}
		edit(map[string][]byte{".nojekyll": {}, "index.html": []byte("home"), "a b/100%.txt": []byte("odd"), "404.html": []byte("gone"), "d/index.html": []byte("folder"), "empty": {}})
		wantPage(t, origin, "", 200, "home")
		wantPage(t, origin, "a%20b/100%25.txt", 200, "odd")
		wantPage(t, origin, "d/", 200, "folder")
		wantPage(t, origin, "missing", 404, "gone")
		wantPage(t, origin, "empty", 200, "")
		edit(map[string][]byte{"index.html": []byte("new"), "a b/100%.txt": nil})
		wantPage(t, origin, "", 200, "new")
		wantPage(t, origin, "a%20b/100%25.txt", 404, "gone")
		wantPage(t, origin, "d/", 200, "folder")
		edit(map[string][]byte{".mirror/secret": []byte("x")})
		wantPage(t, origin, ".mirror/secret", 404, "gone")
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
		status, _, header := page(t, o, "about.html")
		if status != 301 || header.Get("Location") != "https://parked.example.com/" {
			t.Errorf("%s: overridden page = %d to %q", o.Name, status, header.Get("Location"))
		}
		o.Override("/about.html", nil)
		wantPage(t, o, "about.html", 200, "about")
		o.Down(true)
		if res, err := http.Get(o.URL); err == nil {
			res.Body.Close()
			t.Errorf("%s answers %d while it is down", o.Name, res.StatusCode)
		}
		o.Down(false)
		wantPage(t, o, "", 200, "home")
		if got := o.Requests() - before; got < 4 {
			t.Errorf("%s counted %d requests, want 4 or more", o.Name, got)
		}
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	before, dir := runtime.NumGoroutine(), t.TempDir()
	l, err := Start(t.Context(), Options{Dir: dir, Lag: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []editor{l.Git, l.S3, l.Registry} {
		if err := place.Edit(t.Context(), map[string][]byte{"index.html": []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range l.Origins() {
		wantPage(t, o, "", 200, "x")
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	awaitGoroutines(t, before)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
	if err := l.Git.Edit(t.Context(), map[string][]byte{"a": nil}); err == nil {
		t.Error("a closed lab can be edited")
	}
}

// awaitGoroutines waits until no more goroutines run than before.
func awaitGoroutines(t *testing.T, before int) {
	t.Helper()
	ticker, deadline := time.NewTicker(5*time.Millisecond), time.After(10*time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if runtime.NumGoroutine() <= before {
				return
			}
		case <-deadline:
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
