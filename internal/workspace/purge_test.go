package workspace_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/realserver"
	"mirror/internal/static"
	"mirror/internal/workspace"
	"mirror/site"
)

// behindCaches is a folder served by an nginx behind caches. caches starts them, and returns the address of the
// outermost and the config's list.
func behindCaches(t *testing.T, caches func(origin string) (edge, purge string)) (p *place, edge string) {
	t.Helper()
	p = newPlace(t, "http://127.0.0.1:1/", "")
	origin := folderServer(t, filepath.Join(p.root, "disk", "current"))
	edge, list := caches(origin)
	p.write("mirror.yaml", fmt.Sprintf("version: 1\nsite: {dir: ./public}\npublish: {verify_timeout: 2m}\ntargets:\n  - name: disk\n    type: dir\n    path: ./disk\n"+
		"    origin: {url: %q, purge: %s}\n", edge+"/", list))
	p.Workspace = p.open("state")
	return p, edge
}

// folderServer serves a folder, that need not be there yet, and returns its base URL without a slash at the end.
func folderServer(t *testing.T, dir string) string {
	return strings.TrimSuffix(serve(t, func(w http.ResponseWriter, r *http.Request) {
		h, err := static.Folder(dir, static.Options{ContentType: site.ContentType})
		if err != nil {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	}), "/")
}

// visit reads a page as a visitor does.
func visit(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		return resp.Status
	}
	return string(body)
}

// In each case two caches stand before the site.
var twoTiers = map[string]func(t *testing.T, origin string) (edge, purge string){
	"nginx twice": func(t *testing.T, origin string) (string, string) {
		edge := realserver.NginxCache(t, realserver.NginxCache(t, origin))
		return edge, fmt.Sprintf("[{type: varnish, url: %q, method: GET, header: %s}]", edge, realserver.RefreshHeader)
	},
	"nginx before varnish": func(t *testing.T, origin string) (string, string) {
		shield := realserver.Varnish(t, origin)
		edge := realserver.NginxCache(t, shield)
		return edge, fmt.Sprintf("[{type: varnish, url: %q}, {type: varnish, url: %q, method: GET, header: %s}]", shield, edge, realserver.RefreshHeader)
	},
	"varnish before squid": func(t *testing.T, origin string) (string, string) {
		shield := realserver.Squid(t, origin)
		edge := realserver.Varnish(t, shield)
		return edge, fmt.Sprintf("[{type: varnish, url: %q}, {type: varnish, url: %q, method: BAN}]", shield, edge)
	},
}

// TestPublishPurgesCaches looks at every changed page through two caches that keep what they have for an hour, after each
// publish and after a rollback.
func TestPublishPurgesCaches(t *testing.T) {
	longtest.Skip(t, "runs real caches")
	t.Parallel()
	for name, caches := range twoTiers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, edge := behindCaches(t, func(origin string) (string, string) { return caches(t, origin) })
			p.write("public/old.html", "soon gone")
			p.write("public/404.html", "not found")
			p.publish()
			want := map[string]string{"/": "home 2", "/index.html": "home 2", "/new.html": "new", "/a%20b/": "folder", "/old.html": "404 Not Found"}
			for page := range want {
				visit(t, edge+page) // is cached from here on
			}
			before := visit(t, edge+"/")
			p.write("public/index.html", "home 2")
			p.write("public/new.html", "new")
			p.write("public/a b/index.html", "folder")
			p.remove("public/old.html")
			report := p.publish()
			if before != "home" || report.Outcome != publish.Live || len(report.Purges) != 1 {
				t.Fatalf("got %s, %s with purges %+v", before, report.Outcome, report.Purges)
			}
			for page, text := range want {
				if got := visit(t, edge+page); got != text {
					t.Errorf("%s: got %q, want %q", page, got, text)
				}
			}
			if purged := report.Purges[0]; purged.Visible == nil || purged.Err != nil || purged.URLs < len(want) {
				t.Errorf("got %+v", purged)
			}
			if _, err := p.Rollback(t.Context(), workspace.RollbackOptions{}); err != nil {
				t.Fatal(err)
			}
			if got := visit(t, edge+"/"); got != "home" {
				t.Errorf("after the rollback: got %q", got)
			}
		})
	}
}

// TestEdgeThatFillsItselfWithOldPages lists the outer cache first: it gets the old page from the inner one, and is purged again.
func TestEdgeThatFillsItselfWithOldPages(t *testing.T) {
	longtest.Skip(t, "runs a real cache")
	t.Parallel()
	var shield string
	p, edge := behindCaches(t, func(origin string) (string, string) {
		shield = realserver.Varnish(t, origin)
		edge := realserver.NginxCache(t, shield)
		return edge, fmt.Sprintf("[{type: varnish, url: %q, method: GET, header: %s}, {type: varnish, url: %q}]", edge, realserver.RefreshHeader, shield)
	})
	p.publish()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, shield+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = strings.TrimPrefix(edge, "http://")
	response, err := http.DefaultClient.Do(request) // as another edge does, so that the inner cache has the page
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	p.write("public/index.html", "home 2")
	report := p.publish()
	if got := visit(t, edge+"/"); got != "home 2" || report.Outcome != publish.Live || report.Purges[0].Rounds < 2 {
		t.Errorf("got %q, %s with %+v", got, report.Outcome, report.Purges)
	}
}

// TestPurgeThatFails is a warning, and the outcome is what the origin shows.
func TestPurgeThatFails(t *testing.T) {
	t.Parallel()
	refuse := serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not allowed here", http.StatusForbidden) })
	p, edge := behindCaches(t, func(origin string) (string, string) { return origin, fmt.Sprintf("[{type: varnish, url: %q}]", refuse) })
	report := p.publish()
	if report.Outcome != publish.Live || len(report.Warnings) != 1 || !strings.Contains(report.Warnings[0], "403: not allowed here") {
		t.Errorf("got %s with warnings %q", report.Outcome, report.Warnings)
	}
	if got := visit(t, edge+"/"); got != "home" {
		t.Errorf("got %q", got)
	}
}

// TestUnchangedPublishPurgesWhatIsStale publishes once more after a publish whose purge failed.
func TestUnchangedPublishPurgesWhatIsStale(t *testing.T) {
	longtest.Skip(t, "waits for caches")
	t.Parallel()
	p, edge := behindCaches(t, func(origin string) (string, string) {
		edge := realserver.NginxCache(t, origin)
		return edge, fmt.Sprintf("[{type: varnish, url: %q, method: GET, header: %s}]", edge, realserver.RefreshHeader)
	})
	p.publish()
	config := p.read("mirror.yaml")
	p.write("mirror.yaml", config[:strings.Index(config, ", purge:")]+"}\n")
	p.write("public/index.html", "home 2")
	report, err := p.open("state").Publish(t.Context(), workspace.PublishOptions{VerifyTimeout: time.Millisecond})
	if report == nil || report.Outcome != publish.Diverged || visit(t, edge+"/") != "home" {
		t.Fatalf("got %+v, %v: the cache is expected to have the old page", report, err)
	}
	p.write("mirror.yaml", config)
	p.Workspace = p.open("state")
	if report := p.publish(); report.Outcome != publish.Unchanged || visit(t, edge+"/") != "home 2" {
		t.Errorf("got %s with %+v", report.Outcome, report.Purges)
	}
}
