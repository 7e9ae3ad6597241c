package workspace_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/publish"
	"mirror/internal/workspace"
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
	p.write("public/_redirects", "/file /old/ 301\n/old/ /elsewhere\n/index.html /x\n/blog/* /b/:splat\n/x /y/\n/y /x/\n")
	p.reopen()
	report := p.publish()
	if report.Outcome != publish.Live || report.Files != 7 {
		t.Errorf("got %s with %d files, want 7 live", report.Outcome, report.Files)
	}
	told := strings.Join(p.warnings.Take(), "\n")
	for _, want := range []string{`line 2: "/old/" has the path of a file of the site`, `line 3: "/index.html" has the path`, `line 4: "/blog/*" is a pattern`, "redirects lead to each other, so visitors never get a page: /x → /y → /x"} {
		if !strings.Contains(told, want) {
			t.Errorf("warnings: got %s, want %q", told, want)
		}
	}
}

// TestRedirectsOfABucket publishes to a branch and to a bucket whose website answers with the redirects itself: a
// check agrees with both, a changed redirect is a change, and a rollback keeps what the config still has.
func TestRedirectsOfABucket(t *testing.T) {
	t.Parallel()
	p := newPagesWorld(t, "1m")
	config := func(to string) {
		p.write("mirror.yaml", fmt.Sprintf(`version: 1
site: {dir: public, redirects: [{from: /old/, to: %q}, {from: /away/, to: "https://other.example/x?y=1"}]}
targets:
  - {name: pages, type: git, url: %q, branch: %q, origin: {url: %q}}
  - {name: bucket, type: s3, endpoint: %q, region: %q, bucket: %q, path_style: true, access_key_env: ACCESS, secret_key_env: SECRET, website_redirects: true, origin: {url: %q}}
check: {rate: 0}
`, to, p.lab.Git.Remote, p.lab.Git.Branch, p.lab.Git.URL, p.lab.S3.Endpoint, p.lab.S3.Region, p.lab.S3.Bucket, p.lab.S3.URL))
		p.env = map[string]string{"ACCESS": p.lab.S3.AccessKey, "SECRET": p.lab.S3.SecretKey}
		p.reopen()
	}
	for _, round := range []string{"/", "/new/?a=b"} {
		config(round)
		if report := p.publish(); report.Outcome != publish.Live {
			t.Fatalf("%s: got %s", round, report.Outcome)
		}
		v, err := p.Check(t.Context(), workspace.CheckOptions{})
		if err != nil || !v.Agree() {
			t.Errorf("%s: check: got %+v, %v", round, v, err)
		}
		wantRedirect(t, p.lab.S3.URL+"old/", round)
		wantRedirect(t, p.lab.S3.URL+"away/", "https://other.example/x?y=1")
		if report := p.publish(); report.Outcome != publish.Unchanged {
			t.Errorf("%s, again: got %s", round, report.Outcome)
		}
	}
}

func wantRedirect(t *testing.T, page, to string) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusMovedPermanently || resp.Header.Get("Location") != to {
		t.Errorf("%s: got %d to %q, want 301 to %q", page, resp.StatusCode, resp.Header.Get("Location"), to)
	}
}
