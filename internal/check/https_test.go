package check_test

import (
	"crypto/tls"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// secure carries requests to a world as if it stood behind a certificate, and answers those for
// http:// by plain.
type secure struct {
	world     *world
	plain     http.HandlerFunc
	hsts      string
	requested atomic.Int64 // by http://
}

func (s *secure) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	if r.URL.Scheme == "http" {
		s.requested.Add(1)
		s.plain(rec, r)
		return rec.Result(), nil
	}
	if s.hsts != "" {
		rec.Header().Set("Strict-Transport-Security", s.hsts)
	}
	s.world.ServeHTTP(rec, r)
	resp := rec.Result()
	resp.TLS = &tls.ConnectionState{Version: tls.VersionTLS13}
	return resp, nil
}

func (s *secure) endpoint(name string) origin.Endpoint {
	at := &url.URL{Scheme: "https", Host: name + ".example", Path: "/"}
	return origin.Endpoint{Name: name, URL: at, Options: origin.Options{Concurrency: 4, Timeout: time.Minute, Confirm: 1, Transport: s}}
}

// TestRunTellsOfHTTPS compares three origins that serve the release over https, and differ in all else. That
// takes one request more of each origin, and none more of any page.
func TestRunTellsOfHTTPS(t *testing.T) {
	holds := maps.Clone(release)
	holds["index.html"] = `<link rel="stylesheet" href="css/site.css"><script src="http://cdn.example/x.js"></script>`
	holds["css/site.css"] = `body{background:url(http://cdn.example/x.png)}`
	o := options()
	o.Manifest = holds.manifest()
	o.Release = o.Manifest.ID()
	world := func() *world {
		w := newWorld()
		maps.Copy(w.holds, holds)
		w.holds[site.DefaultBeacon] = string(site.NewRelease(o.Manifest, nil, site.DefaultBeacon, time.Now()).Beacon())
		return w
	}
	usual := world()
	run(t, o, usual.start(t, "usual"))
	a := &secure{world: world(), hsts: "max-age=1", plain: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+r.Host+"/", http.StatusMovedPermanently)
	}}
	b := &secure{world: world(), plain: func(http.ResponseWriter, *http.Request) {}}
	c := &secure{world: world(), plain: http.NotFound}
	v := run(t, o, a.endpoint("a"), b.endpoint("b"), c.endpoint("c"))
	for _, s := range []*secure{a, b, c} {
		if https, plain := s.world.requests.Load(), s.requested.Load(); https != usual.requests.Load() || plain != 1 {
			t.Errorf("%d requests by https, as by http alone it takes %d; %d by http", https, usual.requests.Load(), plain)
		}
	}
	if !v.Agree() || len(drifts(v)) > 0 {
		t.Errorf("what is no drift counts: %q", drifts(v))
	}
	want := []diff.MixedResource{{Page: "index.html", Element: "script", URL: "http://cdn.example/x.js", Active: true}, {Page: "css/site.css", Element: "css", URL: "http://cdn.example/x.png"}}
	if f := v.Origins[1].Facts; f.Mixed != 2 || f.MixedActive != 1 || f.MixedPages != 2 || !reflect.DeepEqual(f.MixedExamples, want) {
		t.Errorf("got %+v", f)
	}
	notes := strings.Join(diff.HTTPSNotes(v.Origins), "\n")
	if notes != "HSTS differs: max-age=1 on a; none on b, c\nthe answer at http:// differs: redirects to https on a; answers 200 on b; answers 404 on c" {
		t.Error(notes)
	}
}
