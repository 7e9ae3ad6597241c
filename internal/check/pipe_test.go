package check_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/site"
)

// TestKeepsThePipeFull reads an origin that is 50 ms away: the time for which requests are on
// their way, all together, is most of what so many at once could be.
func TestKeepsThePipeFull(t *testing.T) {
	const far, atOnce, pages = 50 * time.Millisecond, 16, 640
	var m site.Manifest
	for i := range pages {
		path := fmt.Sprintf("%04d.html", i)
		m = append(m, site.File{Path: path, Size: int64(len(path)) + 1, Digest: sha256.Sum256([]byte("/" + path))})
	}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var first, last time.Time
		at := origin.Endpoint{Name: "far", URL: &url.URL{Scheme: "http", Host: "far.example", Path: "/"}, Options: origin.Options{
			Concurrency: atOnce, Timeout: 10 * time.Second, Transport: &counted{answer: func(_ int, r *http.Request) *http.Response {
				came := time.Now()
				takes(r, far)
				mu.Lock()
				defer mu.Unlock()
				if first.IsZero() {
					first = came
				}
				last = time.Now()
				return respond(http.StatusOK, strings.NewReader(r.URL.Path))
			}},
		}}
		v := run(t, check.Options{Release: m.ID(), Manifest: m}, at)
		if v.Origins[0].Match != pages {
			t.Fatalf("got %.200q", drifts(v))
		}
		full := float64(pages*far) / float64(atOnce*last.Sub(first))
		t.Logf("%.0f %% of %d requests each %s", 100*full, atOnce, far)
		if full < 0.9 {
			t.Errorf("the pipe is %.0f %% full, want 90 %%", 100*full)
		}
	})
}
