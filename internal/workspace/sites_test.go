package workspace

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// TestWatchHasTheHomePage has a site whose home page changes after it was looked at a few times,
// and whose sitemap does not name it.
func TestWatchHasTheHomePage(t *testing.T) {
	for name, sitemap := range map[string]string{
		"a sitemap without it": "<urlset><url><loc>/about/</loc></url></urlset>",
		"a broken sitemap":     "<urlset><url><loc>/about/</loc></url><url>",
	} {
		var asked atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/":
				fmt.Fprint(w, asked.Add(1) < 20)
			case "/sitemap.xml":
				io.WriteString(w, sitemap)
			case "/about/":
				io.WriteString(w, "about")
			default:
				http.NotFound(w, r)
			}
		}))
		sites, err := OpenSites([]string{server.URL}, SiteOptions{Concurrency: 4, Timeout: time.Minute}, NewLines(io.Discard))
		if err != nil {
			t.Fatal(err)
		}
		o, err := sites.NextChange(t.Context(), nil)
		if err != nil || len(o.Changes) != 1 || o.Changes[0].Path != "" {
			t.Errorf("%s: got %+v, %v", name, o.Changes, err)
		}
		server.CloseClientConnections()
		server.Close()
	}
}

// TestSamplesHaveTheHomePage picks pages at random.
func TestSamplesHaveTheHomePage(t *testing.T) {
	var paths []string
	for i := range 1000 {
		paths = append(paths, fmt.Sprintf("p%03d", i))
	}
	all := append([]string{""}, paths...)
	for range 20 {
		if got := sampled(all, 3); !slices.Contains(got, "") || len(got) > 4 || !slices.IsSorted(got) {
			t.Errorf("got %q", got)
		}
	}
	if got := sampled(paths, 3); len(got) != 3 {
		t.Errorf("got %q", got)
	}
}
