package workspace_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/publish"
)

// TestRedirectsArePages publishes the redirects of the config and of a file, and looks at the origin: it serves
// what was published.
func TestRedirectsArePages(t *testing.T) {
	t.Parallel()
	p := newPagesWorld(t, "1m")
	config, err := os.ReadFile(filepath.Join(p.dir, "mirror.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p.write("mirror.yaml", strings.Replace(string(config), "site: {dir: public}", "site: {dir: public, redirects: [{from: /old/, to: /}, {from: /away.html, to: 'https://other.example/', status: 302}], redirects_file: _redirects}", 1))
	p.write("public/_redirects", "/file /old/ 301\n/old/ /elsewhere\n/index.html /x\n/blog/* /b/:splat\n")
	p.reopen()
	if report := p.publish(); report.Outcome != publish.Live || report.Files != 5 {
		t.Errorf("got %s with %d files, want 5 live", report.Outcome, report.Files)
	}
	told := strings.Join(p.warnings.Take(), "\n")
	for _, want := range []string{`line 2: "/old/" has the path of a file of the site`, `line 3: "/index.html" has the path`, `line 4: "/blog/*" is a pattern`} {
		if !strings.Contains(told, want) {
			t.Errorf("warnings: got %s, want %q", told, want)
		}
	}
}
