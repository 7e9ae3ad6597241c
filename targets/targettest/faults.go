package targettest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"mirror/site"
)

// ErrFault is what a broken request gives.
var ErrFault = errors.New("injected fault")

// breakage is how a write breaks: refused before it had any effect, or done and its
// answer lost.
type breakage int

const (
	refuse breakage = iota
	lose
)

// Faults is a transport that breaks at the nth write and stays broken, as a network
// that goes away does. Reads before that write pass.
type Faults struct {
	Base   http.RoundTripper
	At     int64 // the write to break, counted from 1; 0 for none
	Lost   bool  // the write at At is done, and only its answer lost
	writes atomic.Int64
}

// RoundTrip sends the request, or breaks it.
func (f *Faults) RoundTrip(r *http.Request) (*http.Response, error) {
	n := f.writes.Load()
	if isWrite(r) {
		n = f.writes.Add(1)
	}
	switch {
	case f.At == 0 || n < f.At:
		return f.Base.RoundTrip(r)
	case n == f.At && f.Lost && isWrite(r):
		resp, err := f.Base.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, resp.Body) // the server has done all of it
		return nil, errors.Join(ErrFault, err, resp.Body.Close())
	}
	if r.Body != nil {
		r.Body.Close()
	}
	return nil, ErrFault
}

// Writes tells how many writes were seen.
func (f *Faults) Writes() int64 { return f.writes.Load() }

func isWrite(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return !strings.HasSuffix(r.URL.Path, "/git-upload-pack")
}

// brokenWrites publishes release after release, each broken at one write later than the
// one before. After each break every page is of the old release or of the new one, and a
// publish with a whole network converges.
func brokenWrites(t *testing.T, f Fixture, how breakage) {
	if !f.HTTP {
		t.Skip("the target's writes are no HTTP requests; its package breaks them in its own tests")
	}
	old := v2
	mustPublish(t, f.Open(t, nil), old)
	for n, next := int64(1), v1; ; n++ {
		faults := &Faults{Base: http.DefaultTransport, At: n, Lost: how == lose}
		_, err := Publish(t.Context(), f.Open(t, faults), Release(next))
		if err == nil && faults.Writes() < n {
			return // every write was broken once
		}
		wantOneOf(t, f, old, next)
		mustPublish(t, f.Open(t, nil), next)
		wantServed(t, f, f.Open(t, nil), next)
		if t.Failed() {
			t.Fatalf("after the break at write %d", n)
		}
		old, next = next, old
	}
}

// wantOneOf fails if a page is neither of the old release nor of the new one.
func wantOneOf(t *testing.T, f Fixture, old, next Files) {
	t.Helper()
	for path := range (Files{"index.html": "", "about/index.html": "", "css/site.css": ""}) {
		if got, err := f.Read(path); err != nil || string(got) != old[path] && string(got) != next[path] {
			t.Errorf("read %q: got %q, %v; want bytes of the old release or of the new one", path, got, err)
		}
	}
	if _, err := f.Read(site.DefaultBeacon); err != nil {
		t.Errorf("beacon: %v", err)
	}
}
