package diff_test

import (
	"net/http"
	"testing"

	"mirror/diff"
	"mirror/site"
)

// TestPagesThatStandForRedirects may be answered with the redirect itself, and with no other one.
func TestPagesThatStandForRedirects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want, location string
		status         int
		ok             bool
	}{
		{"../new/", "/repo/new/", 301, true},
		{"../new/", "https://me.example/repo/new/", 308, true},
		{"../new/", "../new/", 302, true},
		{"../new/", "/new/", 301, false},
		{"../new/", "https://evil.example/repo/new/", 301, false},
		{"../new/", "", 301, false},
		{"https://other.example/x", "https://other.example/x", 301, true},
		{"https://other.example/x", "https://other.example/", 301, false},
		{"", "/repo/new/", 301, false},
	} {
		want := diff.Expectation{File: site.File{Path: "old/index.html", Size: 1, Digest: site.Digest{1}}, Redirect: c.want}
		_, ok := diff.Judge(want, site.Observation{URL: "https://me.example/repo/old/", Status: c.status, Header: http.Header{"Location": {c.location}}})
		if ok != c.ok {
			t.Errorf("%q answered with %d to %q: got %v, want %v", c.want, c.status, c.location, ok, c.ok)
		}
	}
}
