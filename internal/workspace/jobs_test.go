package workspace_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"mirror/internal/daemon"
	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/workspace"
)

// TestPublishJobWithNothingToPublish runs the daemon's publish of a site that its target holds, while
// the origin shows something else, and while it does not answer.
func TestPublishJobWithNothingToPublish(t *testing.T) {
	longtest.Skip(t, "waits for a daemon's jobs")
	t.Parallel()
	var fault atomic.Int32 // 1: another page; 2: no answer
	var p *place
	p = newPlace(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch fault.Load() {
		case 1:
			_, _ = io.WriteString(w, "not ours")
		case 2:
			panic(http.ErrAbortHandler)
		default:
			http.FileServer(http.Dir(filepath.Join(p.root, "disk", "current"))).ServeHTTP(w, r)
		}
	}), "publish: {verify_timeout: 3m}\n")
	setup, err := p.DaemonSetup(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	row, err := setup.Work.Publish(t.Context(), io.Discard)
	if err != nil || row.Outcome != "live" {
		t.Fatalf("the first publish: %+v, %v", row, err)
	}
	text := p.read("mirror.yaml") // what is to disagree is not waited for
	p.write("mirror.yaml", strings.Replace(text, "verify_timeout: 3m", "verify_timeout: 1s", 1))
	p.Workspace = p.open("state")
	for fault.Store(0); fault.Load() < 3; fault.Add(1) {
		if fault.Load() == 1 {
			if setup, err = p.DaemonSetup(slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
		}
		row, err := setup.Work.Publish(t.Context(), io.Discard)
		if row.Outcome != "unchanged" || errors.Is(err, daemon.ErrDisagree) != (fault.Load() > 0) {
			t.Errorf("fault %d: %+v, %v", fault.Load(), row, err)
		}
	}
	fault.Store(1)
	if report := p.publish(); report.Outcome != "diverged" {
		t.Errorf("by hand: %s", report.Outcome)
	}
	h, err := p.History(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if last, _, err := h.LastPublish(t.Context()); err != nil || last.Outcome != "unchanged" || last.Err == "" {
		t.Errorf("by hand, on record is %+v, %v", last, err)
	}
	p.write("public/index.html", "home 2")
	if row, err := setup.Work.Publish(t.Context(), io.Discard); row.Outcome != "diverged" || !errors.Is(err, daemon.ErrDisagree) {
		t.Errorf("a release that its origin does not show: %+v, %v", row, err)
	}
}

// TestSetupKnowsItsConfig has the config changed.
func TestSetupKnowsItsConfig(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "https://blog.example.test/", "")
	log := slog.New(slog.DiscardHandler)
	first, err := p.DaemonSetup(log)
	if err != nil || first.Config == "" || first.Broken {
		t.Fatalf("got %q, broken %v, %v", first.Config, first.Broken, err)
	}
	p.write("mirror.yaml", "version: 1\n")
	if next, err := p.DaemonSetup(log); err != nil || next.Config == first.Config {
		t.Errorf("got %q for another config, %v", next.Config, err)
	}
	p.write("state/journal.json", `{"release":"aa","swaps":{},"outcome":""}`)
	if next, err := p.DaemonSetup(log); err != nil || !next.Broken {
		t.Errorf("a publish that was killed: broken %v, %v", next.Broken, err)
	}
	p.write("state/journal.json", `{"release":"aa","rollback":true,"swaps":{},"outcome":""}`)
	if next, err := p.DaemonSetup(log); err != nil || next.Broken || !next.Unfinished {
		t.Errorf("a rollback that was killed: broken %v, unfinished %v, %v", next.Broken, next.Unfinished, err)
	}
}

// TestReleaseJob has the daemon make a staged release live, twice, and one that is not staged.
func TestReleaseJob(t *testing.T) {
	t.Parallel()
	var p *place
	p = newPlace(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.FileServer(http.Dir(filepath.Join(p.root, "disk", "current"))).ServeHTTP(w, r)
	}), "schedule: [{name: announcement, run: publish, cron: '@at 2026-12-24T18:00:00Z', release: 0123456789ab}]\n")
	p.publish()
	p.write("public/index.html", "embargoed")
	staged, err := p.Publish(t.Context(), workspace.PublishOptions{StageOnly: true})
	if err != nil || staged.Outcome != publish.Staged {
		t.Fatalf("got %+v, %v", staged, err)
	}
	p.write("public/index.html", "unfinished work")
	setup, err := p.DaemonSetup(slog.New(slog.DiscardHandler))
	if err != nil || len(setup.Jobs) == 0 || setup.Jobs[0].Kind != daemon.Release || setup.Jobs[0].Release != "0123456789ab" {
		t.Fatalf("got %+v, %v", setup.Jobs, err)
	}
	for _, want := range []string{"live", ""} {
		row, err := setup.Work.Release(t.Context(), string(staged.Release[:12]), io.Discard)
		if err != nil || row.Outcome != want {
			t.Errorf("got %+v, %v, want %q", row, err, want)
		}
		if text, err := os.ReadFile(filepath.Join(p.root, "disk/current/index.html")); err != nil || string(text) != "embargoed" {
			t.Errorf("%q is live, %v", text, err)
		}
	}
	if row, err := setup.Work.Release(t.Context(), "0123456789ab", io.Discard); err == nil || row.Outcome != "failed" {
		t.Errorf("one that is not staged: %+v, %v", row, err)
	}
}
