package compare_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/compare"
	"mirror/internal/origin"

	"net/url"
)

// memory answers for a path with a page about it that names its own host, without a network.
type memory struct{ host string }

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	resp := &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{"Content-Type": {"text/html"}}, Request: r}
	if strings.Contains(r.URL.Path, "mirror-") {
		resp.StatusCode = 404
	}
	resp.Body = io.NopCloser(strings.NewReader(fmt.Sprintf(`<link rel=canonical href="http://%s%s">%0200d`, m.host, r.URL.Path, len(r.URL.Path))))
	return resp, nil
}

// TestMemoryIsSmall bounds what a comparison holds for each page and origin: digests, and no
// bodies.
func TestMemoryIsSmall(t *testing.T) {
	pages := 10_000
	if text := os.Getenv("MIRROR_PAGES"); text != "" {
		fmt.Sscan(text, &pages)
	}
	var names []string
	for i := range pages {
		names = append(names, fmt.Sprintf("posts/%04d/%06d.html", i%1000, i))
	}
	var origins []origin.Endpoint
	for _, name := range []string{"a.example", "b.example", "c.example"} {
		origins = append(origins, origin.Endpoint{
			Name: name, URL: &url.URL{Scheme: "http", Host: name, Path: "/"},
			Options: origin.Options{Concurrency: 8, Timeout: time.Minute, Confirm: 1, Transport: memory{name}},
		})
	}
	var before, during runtime.MemStats
	runtime.GC()
	runtime.GC() // pools are emptied by the second
	runtime.ReadMemStats(&before)
	var read atomic.Int32
	v, err := compare.Run(t.Context(), origins, names, compare.Options{IgnoreHost: true, Progress: func(_ string, done, total int) {
		if done == total && read.Add(1) == int32(len(origins)) { // no other origin's requests allocate any more
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&during)
		}
	}})
	if err != nil || !v.Agree() || v.Origins[0].Facts.Hosts != pages+1 {
		t.Fatalf("got %q, %v", drifts(v), err)
	}
	each := (int64(during.HeapAlloc) - int64(before.HeapAlloc)) / int64(3*pages)
	t.Logf("%d bytes for each page and origin; %d MB from the system", each, during.Sys>>20)
	if each > 150 { // with the bodies it would be more than 300
		t.Errorf("%d bytes for each page and origin", each)
	}
}
