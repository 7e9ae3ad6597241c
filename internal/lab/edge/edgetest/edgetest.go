// Package edgetest asks origins of the lab in tests: it serves one on loopback, reads its pages
// and waits until it has settled.
package edgetest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"mirror/internal/lab/edge"
)

// Listen serves h until the test ends and returns its base URL, without a slash at its end.
func Listen(t *testing.T) func(h http.Handler) (string, error) {
	return func(h http.Handler) (string, error) {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL, nil
	}
}

// Serve lets visitors in to an origin until the test ends.
func Serve(t *testing.T, o *edge.Origin) {
	base, _ := Listen(t)(o) // it fails the test by a panic
	o.URL = base + "/"
}

// Get asks an origin for a path, following no redirect.
func Get(t *testing.T, o *edge.Origin, path string) (status int, body string, header http.Header) {
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

// WantPage fails the test unless the origin answers so; "*" is any body.
func WantPage(t *testing.T, o *edge.Origin, path string, status int, body string) {
	t.Helper()
	if gotStatus, got, _ := Get(t, o, path); gotStatus != status || body != "*" && got != body {
		t.Errorf("%s: GET /%s = %d %.80q, want %d %.80q", o.Name, path, gotStatus, got, status, body)
	}
}

// Settle waits until the origin serves all that was stored.
func Settle(t *testing.T, o *edge.Origin) {
	t.Helper()
	if err := o.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}
