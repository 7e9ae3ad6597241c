package workspace_test

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/internal/lab"
	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/workspace"
	"mirror/site"
	allkinds "mirror/targets/kinds"
)

// pagesWorld is a site that is published to the Pages of the lab's git host.
type pagesWorld struct {
	*workspace.Workspace
	t        *testing.T
	dir      string
	lab      *lab.Lab
	warnings *workspace.Warnings
	env      map[string]string
}

func newPagesWorld(t *testing.T, verify string) *pagesWorld {
	t.Helper()
	l, err := lab.Start(t.Context(), lab.Options{ContentType: site.ContentType})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // what it leaves is in a folder of its own
	p := &pagesWorld{t: t, dir: t.TempDir(), lab: l}
	text := fmt.Sprintf("version: 1\nsite: {dir: public}\ntargets:\n  - {name: pages, type: git, url: %q, branch: %q, rescue: 1s, origin: {url: %q}}\ncheck: {rate: 0}\npublish: {verify_timeout: %s}\n",
		l.Git.Remote, l.Git.Branch, l.Git.URL, verify)
	p.write("mirror.yaml", text)
	p.write("public/index.html", "<p>first</p>")
	p.reopen()
	return p
}

// reopen reads the config again.
func (p *pagesWorld) reopen() {
	p.t.Helper()
	env, err := map[string]string{"HOME": p.t.TempDir()}, error(nil)
	maps.Copy(env, p.env)
	p.warnings = &workspace.Warnings{}
	p.Workspace, err = workspace.Open(workspace.Options{
		ConfigFile: filepath.Join(p.dir, "mirror.yaml"), Kinds: allkinds.All(), Events: workspace.NewLines(io.Discard), Warnings: p.warnings,
		Getenv: func(name string) string { return env[name] },
	})
	if err != nil {
		p.t.Fatal(err)
	}
	w := p.Workspace
	p.t.Cleanup(func() { _ = w.Close() }) // the test has ended
}

func (p *pagesWorld) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pagesWorld) publish() *publish.Report {
	p.t.Helper()
	report, err := p.Publish(p.t.Context(), workspace.PublishOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	return report
}

// TestCancelledDeployment publishes where the host cancels the deployment: the publish commits the same
// content again and ends live, and no lag is learnt of it.
func TestCancelledDeployment(t *testing.T) {
	longtest.Skip(t, "waits for a deployment to be lost")
	t.Parallel()
	p := newPagesWorld(t, "2m")
	p.publish()
	p.write("public/index.html", "<p>second</p>")
	p.lab.Git.CancelDeployments(1)
	report := p.publish()
	if report.Outcome != publish.Live || report.Targets[0].Rescued.IsZero() {
		t.Errorf("got %s, rescued at %s", report.Outcome, report.Targets[0].Rescued)
	}
	if !strings.Contains(strings.Join(report.Warnings, "\n"), "committed again") {
		t.Errorf("warnings: got %q", report.Warnings)
	}
	if doc := workspace.PublishDocument(report); doc.Targets[0].Rescued == nil {
		t.Error("the document does not say that the content was committed again")
	}
	p.write("public/index.html", "<p>third</p>")
	if report := p.publish(); report.Outcome != publish.Live {
		t.Errorf("the next one: got %s", report.Outcome)
	}
}

// TestPublishAgain has a publish end before a deployment counts as lost, and publishes the same site again: as
// soon as it counts as lost, the content is committed again.
func TestPublishAgain(t *testing.T) {
	t.Parallel()
	p := newPagesWorld(t, "1m")
	p.publish()
	p.write("public/index.html", "<p>second</p>")
	p.lab.Git.CancelDeployments(1)
	report, err := p.Publish(t.Context(), workspace.PublishOptions{VerifyTimeout: 100 * time.Millisecond})
	for deadline := time.Now().Add(5 * time.Minute); err == nil && report.Outcome == publish.Diverged && time.Now().Before(deadline); {
		report, err = p.Publish(t.Context(), workspace.PublishOptions{})
	}
	if err != nil || report.Outcome != publish.Live || report.Targets[0].Rescued.IsZero() {
		t.Errorf("got %s, rescued at %s, %v; want it live, and rescued", report.Outcome, report.Targets[0].Rescued, err)
	}
}

// TestDaemonRescues has a publish end before a deployment counts as lost: the daemon's checks commit the
// content again, once.
func TestDaemonRescues(t *testing.T) {
	longtest.Skip(t, "waits for a deployment to be lost")
	t.Parallel()
	p := newPagesWorld(t, "30s")
	p.publish()
	p.write("public/index.html", "<p>second</p>")
	p.lab.Git.CancelDeployments(1)
	report, err := p.Publish(t.Context(), workspace.PublishOptions{VerifyTimeout: 100 * time.Millisecond})
	if err != nil || report.Outcome != publish.Diverged || !report.Targets[0].Rescued.IsZero() {
		t.Fatalf("got %s, %v; want it diverged", report.Outcome, err)
	}
	setup, err := p.DaemonSetup(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	notes := 0
	for deadline := time.Now().Add(5 * time.Minute); ; {
		v, err := setup.Work.Check(t.Context(), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.Join(v.Notes, "\n"), "committed again") {
			notes++
		}
		if v.Agree() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after a minute: %+v", v)
		}
	}
	if notes != 1 {
		t.Errorf("notes: got %d, want one", notes)
	}
}
