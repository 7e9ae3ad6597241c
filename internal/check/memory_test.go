package check_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/site"
)

// inMemory answers every page with its own path, without a network.
type inMemory struct{}

func (inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := http.StatusOK, strings.TrimPrefix(r.URL.Path, "/")
	if strings.HasPrefix(body, "mirror-") || strings.HasPrefix(body, ".well-known") {
		status = http.StatusNotFound
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", Header: http.Header{"Content-Type": {"text/html"}, "Cache-Control": {"max-age=60"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// TestMemoryOfALargeSite looks at 100,000 pages of three origins, headers compared: what is
// held of them on the way, the manifest included, stays under 100 MB.
func TestMemoryOfALargeSite(t *testing.T) {
	pages, limit := 100_000, int64(100<<20)
	if raceDetector || testing.Short() {
		pages, limit = pages/10, limit/10
	}
	before := held()
	var m site.Manifest
	for i := range pages {
		path := fmt.Sprintf("posts/2026/a-page-with-a-usual-name-%06d/page.html", i)
		m = append(m, site.File{Path: path, Size: int64(len(path)), Digest: sha256.Sum256([]byte(path))})
	}
	o := check.Options{Release: m.ID(), Manifest: m, BeaconPath: site.DefaultBeacon, Headers: check.Headers{Names: []string{"cache-control"}}}
	var once sync.Once
	var most int64
	o.Progress = func(name string, done, _ int) {
		if name == "c" && done == pages*9/10 {
			once.Do(func() { most = held() - before })
		}
	}
	var origins []origin.Endpoint
	for _, name := range []string{"a", "b", "c"} {
		u := &url.URL{Scheme: "http", Host: name + ".example", Path: "/"}
		origins = append(origins, origin.Endpoint{
			Name: name, URL: u,
			Options: origin.Options{Concurrency: 16, Timeout: time.Minute, Transport: inMemory{}},
		})
	}
	if v := run(t, o, origins...); !v.Agree() || v.Origins[2].Match != pages {
		t.Fatalf("got %.300q", drifts(v))
	}
	t.Logf("%.1f MB held for %d pages of %d origins", float64(most)/(1<<20), pages, len(origins))
	if most == 0 || most > limit {
		t.Errorf("%d bytes are held, want at most %d", most, limit)
	}
}

// held is what is in use after everything that is not has been given back, in bytes.
func held() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
