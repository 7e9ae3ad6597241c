package compare_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/compare"
	"mirror/internal/origin"
)

// secure carries requests to a world as if it stood behind a certificate, and answers by status at http://.
type secure struct {
	world *world
	plain int
}

func (s secure) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	if r.URL.Scheme == "http" {
		rec.WriteHeader(s.plain)
		return rec.Result(), nil
	}
	s.world.ServeHTTP(rec, r)
	resp := rec.Result()
	resp.TLS = &tls.ConnectionState{Version: tls.VersionTLS13}
	return resp, nil
}

// TestRunTellsOfHTTPS compares two live sites of which one answers at http://, and loads something from there.
func TestRunTellsOfHTTPS(t *testing.T) {
	var at []origin.Endpoint
	for name, s := range map[string]secure{"a": {newWorld(), 200}, "b": {newWorld(), 404}} {
		if name == "a" {
			s.world.pages["about/"] = `<html><img src="http://cdn.example/x.png">`
		}
		base := &url.URL{Scheme: "https", Host: name + ".example", Path: "/"}
		at = append(at, origin.Endpoint{Name: name, URL: base, Options: origin.Options{Concurrency: 4, Timeout: time.Minute, Transport: s}})
	}
	v, err := compare.Run(t.Context(), at, paths, compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(diff.HTTPSNotes(v.Origins), "\n")
	for _, want := range []string{"answers 200 on a", "answers 404 on b", "mixed content differs", "1 http:// resource on a", "none on b"} {
		if !strings.Contains(notes, want) {
			t.Errorf("there is no %q in %s", want, notes)
		}
	}
}
