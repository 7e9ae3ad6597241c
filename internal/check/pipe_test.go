package check_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/site"
)

// TestKeepsThePipeFull reads an origin that is 50 ms away: the time for which requests are on
// their way, all together, is most of what so many at once could be. Idle machines reach 95 %.
func TestKeepsThePipeFull(t *testing.T) {
	const far, atOnce, pages = 50 * time.Millisecond, 16, 640
	var mu sync.Mutex
	var first, last time.Time
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came := time.Now()
		select {
		case <-time.After(far):
		case <-r.Context().Done():
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if first.IsZero() {
			first = came
		}
		last = time.Now()
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, r.URL.Path)
	}))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	var m site.Manifest
	for i := range pages {
		path := fmt.Sprintf("%04d.html", i)
		m = append(m, site.File{Path: path, Size: int64(len(path)) + 1, Digest: sha256.Sum256([]byte("/" + path))})
	}
	at := origin.Endpoint{
		Name: "far", URL: u,
		Options: origin.Options{Concurrency: atOnce, Timeout: 10 * time.Second},
	}
	v := run(t, check.Options{Release: m.ID(), Manifest: m}, at)
	if v.Origins[0].Match != pages {
		t.Fatalf("got %.200q", drifts(v))
	}
	full := float64(pages*far) / float64(atOnce*last.Sub(first))
	t.Logf("%.0f %% of %d requests each %s", 100*full, atOnce, far)
	if full < 0.8 {
		t.Errorf("the pipe is %.0f %% full, want 80 %%", 100*full)
	}
}
