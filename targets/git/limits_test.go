package git

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/targettest"
)

// asGitHub sends what is for github.com to another server.
type asGitHub struct{ to *url.URL }

func (g asGitHub) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = g.to.Scheme, g.to.Host
	return http.DefaultTransport.RoundTrip(req)
}

// TestLimitsOfPages publishes more often within an hour than GitHub Pages build.
func TestLimitsOfPages(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	server, err := url.Parse(realserver.GitHTTP(t, filepath.Dir(r.dir)))
	if err != nil {
		t.Fatal(err)
	}
	env := targets.Env{Transport: asGitHub{server}, State: t.TempDir(), Getenv: func(string) string { return "" }}
	plan := func(n int) targets.Plan {
		p, err := open(t, Config{URL: "https://github.com/site.git"}, env).Plan(t.Context(), targettest.Release(release(n)))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	local := open(t, Config{URL: r.dir}, targets.Env{})
	for n := range pagesBuilds - 1 {
		publish(t, local, release(n))
	}
	if got := plan(50).Warnings; len(got) != 0 {
		t.Errorf("after %d commits: got %q, want no warning", pagesBuilds-1, got)
	}
	publish(t, local, release(pagesBuilds))
	if got := plan(51).Warnings; len(got) != 1 || !strings.Contains(got[0], "at most 10 times an hour") {
		t.Errorf("after %d commits: got %q, want a warning", pagesBuilds, got)
	}
}

func TestLargeSitesOnPages(t *testing.T) {
	t.Parallel()
	for size, want := range map[int64]int{1: 0, pagesBytes: 0, pagesBytes + 1: 1} {
		if got := pagesLimits(size, 0); len(got) != want || want > 0 && !strings.Contains(fmt.Sprint(got), "at most 1 GB") {
			t.Errorf("%d bytes: got %q", size, got)
		}
	}
}
