package workspace_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/workspace"
	"mirror/targets"
	"mirror/targets/dir"
)

// place is a workspace with one folder as its target, whose kind has a hint for a redirect.
type place struct {
	*workspace.Workspace
	t        *testing.T
	root     string
	kinds    targets.Kinds
	warnings *workspace.Warnings
	lines    *lines
}

// lines is a buffer that several goroutines write to.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newPlace opens a workspace whose site has a home page. more are further lines of its config.
func newPlace(t *testing.T, url, more string) *place {
	t.Helper()
	p := &place{t: t, root: t.TempDir(), warnings: &workspace.Warnings{}, lines: &lines{}}
	p.write("public/index.html", "home")
	p.write("mirror.yaml", fmt.Sprintf("version: 1\nsite: {dir: ./public}\ntargets:\n  - {name: disk, type: dir, path: ./disk, origin: {url: %q}}\n%s", url, more))
	kind := dir.Kind()
	kind.Private = &targets.PrivateFile{Path: ".own/state", Type: "application/json", Hint: "hide it"}
	kind.OriginHint = func(_ targets.Decode, a targets.OriginAnswer) string {
		switch {
		case a.Location != nil:
			return a.Location.Host + " is known"
		case a.Type == "application/xml":
			return "an API answers"
		}
		return ""
	}
	p.kinds = targets.Kinds{kind}
	p.Workspace = p.open("state")
	return p
}

// open opens the workspace with a state folder, and only the named targets and origins.
func (p *place) open(state string, only ...string) *workspace.Workspace {
	p.t.Helper()
	w, err := workspace.Open(workspace.Options{
		ConfigFile: filepath.Join(p.root, "mirror.yaml"), StateDir: filepath.Join(p.root, state), Kinds: p.kinds, Only: only,
		Getenv: func(string) string { return "" }, Events: workspace.NewLines(p.lines), Warnings: p.warnings,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if err := w.Close(); err != nil {
			p.t.Error(err)
		}
	})
	return w
}

func (p *place) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) publish() *publish.Report {
	p.t.Helper()
	report, err := p.Publish(p.t.Context(), workspace.PublishOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	return report
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/"
}

func movedAway(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "https://blog.example.com"+r.URL.Path, http.StatusMovedPermanently)
}

// noSuchKey is the REST endpoint of an empty bucket.
func noSuchKey(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusNotFound)
}

// withoutIndex knows the names of files alone.
func withoutIndex(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/") {
		http.NotFound(w, r)
		return
	}
	fmt.Fprint(w, "home")
}

// A plan looks at each origin once, and warns of what a publish would wait for in vain.
func TestPlanWarnsOfOrigins(t *testing.T) {
	for name, c := range map[string]struct {
		answers http.HandlerFunc
		url     string
		held    bool // something was published before
		want    string
	}{
		"nothing listens":         {url: "http://127.0.0.1:1/", want: "disk: http://127.0.0.1:1/ cannot be read: connection refused"},
		"away":                    {answers: movedAway, want: "answers 301, away to https://blog.example.com (hint: blog.example.com is known)"},
		"nothing there yet":       {answers: http.NotFound},
		"not what is held":        {answers: http.NotFound, held: true, want: "answers 404, though the target holds release "},
		"no index of folders":     {answers: withoutIndex, held: true, want: "set origin.index to false"},
		"an API, nothing there":   {answers: noSuchKey, want: "answers 404 (hint: an API answers)"},
		"another site":            {answers: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }, held: true, want: "claims no release, though the target holds "},
		"another site, beginning": {answers: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }},
		"failing":                 {answers: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, want: "answers 502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.answers != nil {
				c.url = serve(t, c.answers)
			}
			p := newPlace(t, c.url, "")
			if c.held {
				if _, err := p.Publish(t.Context(), workspace.PublishOptions{NoVerify: true}); err != nil {
					t.Fatal(err)
				}
			}
			p.warnings.Take()
			if _, err := p.PlanPublish(t.Context(), workspace.PlanOptions{}); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(p.warnings.Take(), "\n")
			if (got != "") != (c.want != "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The origin that serves what the target holds is nothing to warn of.
func TestPlanIsQuietAboutAGoodOrigin(t *testing.T) {
	t.Parallel()
	var p *place
	p = newPlace(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.FileServer(http.Dir(filepath.Join(p.root, "disk", "current"))).ServeHTTP(w, r)
	}), "")
	if report := p.publish(); report.Outcome != publish.Live {
		t.Errorf("got %s", report.Outcome)
	}
	if _, err := p.PlanPublish(t.Context(), workspace.PlanOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := p.warnings.Take(); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

// A check says what is likely wrong in the config where an origin answers for every page in place of
// the site.
func TestCheckNamesTheLikelyMistake(t *testing.T) {
	t.Parallel()
	for want, answers := range map[string]http.HandlerFunc{
		"disk: every page is answered 404 (hint: an API answers)":                                              noSuchKey,
		"disk: every page is answered 301, away to https://blog.example.com (hint: blog.example.com is known)": movedAway,
	} {
		p := newPlace(t, serve(t, answers), "")
		v, err := p.Check(t.Context(), workspace.CheckOptions{})
		if err != nil || len(v.Notes) != 1 || v.Notes[0] != want {
			t.Errorf("got %v, %q; want %q", err, v.Notes, want)
		}
	}
}

// A publish does not wait for an origin that fails for good, and says why and what the mistake is. The
// verify timeout is an hour, so that the test ends in time only where the wait does.
func TestPublishEndsAWaitInVain(t *testing.T) {
	longtest.Skip(t, "waits for an origin to be given up")
	t.Parallel()
	p := newPlace(t, serve(t, movedAway), "publish: {verify_timeout: 1h}\n")
	report := p.publish()
	if report.Outcome != publish.Diverged {
		t.Errorf("got %s", report.Outcome)
	}
	for _, want := range []string{
		"not waiting for disk any longer: answers 301, away to https://blog.example.com\n",
		"disk: every page is answered 301, away to https://blog.example.com (hint: blog.example.com is known)",
	} {
		if got := p.lines.String() + strings.Join(report.Verdict.Notes, "\n"); !strings.Contains(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

// A plan warns of an origin that shows visitors what a target keeps for itself, and not of one that
// answers every path alike.
func TestPlanWarnsOfPrivateFiles(t *testing.T) {
	for name, c := range map[string]struct{ contentType, want string }{
		"shown":       {"application/json", "visitors can read "},
		"not its own": {"text/html", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p *place
			p = newPlace(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/.own/state" {
					w.Header().Set("Content-Type", c.contentType)
					fmt.Fprint(w, "{}")
					return
				}
				http.FileServer(http.Dir(filepath.Join(p.root, "disk", "current"))).ServeHTTP(w, r)
			}), "")
			p.publish()
			p.warnings.Take()
			if _, err := p.PlanPublish(t.Context(), workspace.PlanOptions{}); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(p.warnings.Take(), "\n")
			if (got != "") != (c.want != "") || !strings.Contains(got, c.want) || c.want != "" && !strings.Contains(got, "(hint: hide it)") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func (p *place) read(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.root, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

func (p *place) remove(name string) {
	p.t.Helper()
	if err := os.Remove(filepath.Join(p.root, name)); err != nil {
		p.t.Fatal(err)
	}
}
