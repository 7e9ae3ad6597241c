package workspace_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/daemon"
	"mirror/internal/publish"
	"mirror/internal/workspace"
	"mirror/site"
)

// TestInterruptedRunIsCompleted has a publish, and then a rollback, killed after the last commit: the journal has it, and the
// history does not. The next run completes it, and the release is remembered as the one that is live.
func TestInterruptedRunIsCompleted(t *testing.T) {
	t.Parallel()
	var p *place
	p = newPlace(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.FileServer(http.Dir(filepath.Join(p.root, "disk", "current"))).ServeHTTP(w, r)
	}), "")
	first := p.publish().Release
	killed := p.open("other") // what it does is not in the history of p
	p.write("public/index.html", "home 2")
	report, err := killed.Publish(t.Context(), workspace.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	second := report.Release
	p.left(second, false)
	p.remembers(p.publish(), second)

	if report, err = killed.Rollback(t.Context(), workspace.RollbackOptions{}); err != nil || report.Release != first {
		t.Fatalf("%+v, %v", report, err)
	}
	p.left(first, true)
	report, err = p.Rollback(t.Context(), workspace.RollbackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.remembers(report, first)
	if report, err = p.Rollback(t.Context(), workspace.RollbackOptions{}); err != nil || report.Release != second || report.Outcome != publish.Live {
		t.Errorf("a rollback of the rollback: %+v, %v", report, err)
	}
}

// TestDaemonCompletesOnlyWhatIsUnfinished has the daemon's job resume a rollback that was killed, and leave what others have
// published since.
func TestDaemonCompletesOnlyWhatIsUnfinished(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "http://127.0.0.1:1/", "publish: {verify_timeout: 100ms}\n")
	var all []site.ID
	for _, text := range []string{"home", "home 2", "home 3"} {
		p.write("public/index.html", text)
		report, err := p.Publish(t.Context(), workspace.PublishOptions{NoVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, report.Release)
	}
	setup, err := p.DaemonSetup(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name            string
		release, before site.ID // of the rollback that was killed
		outcome, home   string
	}{
		{"others have published since", all[0], all[1], "", "home 3"},
		{"it is unfinished", all[0], all[2], "diverged", "home"}, // no origin answers
		{"it is done", "", "", "", "home"},
	} {
		if c.release != "" {
			p.write("state/journal.json", fmt.Sprintf(`{"release": %q, "rollback": true, "swaps": {"disk": {"From": {"Release": %q}}}, "outcome": ""}`, c.release, c.before))
		}
		row, err := setup.Work.Rollback(t.Context(), daemon.RollbackRequest{Resume: true}, io.Discard)
		home, _ := os.ReadFile(filepath.Join(p.root, "disk", "current", "index.html"))
		if row.Outcome != c.outcome || string(home) != c.home || c.outcome == "" && err != nil {
			t.Errorf("%s: %s is live after %+v, %v", c.name, home, row, err)
		}
	}
}

// TestRollbackBesideAPublishFromHere is refused, and changes nothing, while another run has the state folder.
func TestRollbackBesideAPublishFromHere(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "http://127.0.0.1:1/", "")
	for _, text := range []string{"home", "home 2"} {
		p.write("public/index.html", text)
		if _, err := p.Publish(t.Context(), workspace.PublishOptions{NoVerify: true}); err != nil {
			t.Fatal(err)
		}
	}
	running, _, err := publish.OpenJournal(filepath.Join(p.root, "state"))
	if err != nil {
		t.Fatal(err)
	}
	if report, err := p.Rollback(t.Context(), workspace.RollbackOptions{NoVerify: true}); !errors.Is(err, publish.ErrBusy) || report != nil {
		t.Errorf("while another publish runs: %+v, %v", report, err)
	}
	if err := running.Close(); err != nil {
		t.Fatal(err)
	}
	if report, err := p.Rollback(t.Context(), workspace.RollbackOptions{NoVerify: true}); err != nil || report.Outcome != publish.Live {
		t.Errorf("afterwards: %+v, %v", report, err)
	}
}

// TestRollbackWithADamagedStore has one of two targets with a damaged copy, without its copy, with a damaged list of files, and
// then with a folder that is none. The content comes from the other target; the error says how to do without the target.
func TestRollbackWithADamagedStore(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "http://127.0.0.1:1/", "  - {name: second, type: dir, path: ./second}\n")
	var first site.ID
	for _, text := range []string{"home", "home 2"} {
		p.write("public/index.html", text)
		report, err := p.Publish(t.Context(), workspace.PublishOptions{NoVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		if first == site.None {
			first = report.Release
		}
	}
	copied := "second/releases/" + string(first)
	for name, damage := range map[string]func() error{
		"a damaged copy": func() error { return os.WriteFile(filepath.Join(p.root, copied, "index.html"), []byte("x"), 0o644) },
		"no copy":        func() error { return os.RemoveAll(filepath.Join(p.root, copied)) },
		"a damaged list": func() error { return os.WriteFile(filepath.Join(p.root, copied+".sha256"), []byte("x"), 0o644) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		p.rollsBack(p.Workspace, name, string(first), "home", "disk", "second")
		p.rollsBack(p.Workspace, name+", forward again", "", "home 2", "disk", "second")
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(p.root, "second")), os.WriteFile(filepath.Join(p.root, "second"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	_, err := p.Rollback(t.Context(), workspace.RollbackOptions{NoVerify: true})
	if err == nil || !strings.Contains(err.Error(), "second: ") || !strings.Contains(err.Error(), "--target disk)") {
		t.Errorf("got %v, want the target that cannot be read, and how to do without it", err)
	}
	p.rollsBack(p.open("state", "disk"), "without the target", "", "home", "disk")
}

// rollsBack wants a rollback after which the targets serve a home page.
func (p *place) rollsBack(w *workspace.Workspace, name, asked, home string, served ...string) {
	p.t.Helper()
	report, err := w.Rollback(p.t.Context(), workspace.RollbackOptions{Release: asked, NoVerify: true})
	if err != nil || report.Outcome != publish.Live {
		p.t.Fatalf("%s: %+v, %v", name, report, err)
	}
	for _, at := range served {
		if text, err := os.ReadFile(filepath.Join(p.root, at, "current", "index.html")); err != nil || string(text) != home {
			p.t.Errorf("%s: %s serves %q, want %q: %v", name, at, text, home, err)
		}
	}
}

// left writes the journal of a run that was killed.
func (p *place) left(release site.ID, rollback bool) {
	p.t.Helper()
	p.write("state/journal.json", fmt.Sprintf(`{"release": %q, "rollback": %t, "swaps": {"disk": {}}, "committing": ["disk"], "outcome": ""}`, release, rollback))
}

// remembers wants a run that found the release everywhere, and that to be the latest that is remembered.
func (p *place) remembers(r *publish.Report, want site.ID) {
	p.t.Helper()
	h, err := p.History(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	past, err := h.Past(p.t.Context(), 1, nil)
	if err != nil || r.Outcome != publish.Unchanged || r.Release != want || past[0].Release != want {
		p.t.Errorf("%s of %s, remembered is %s, want %s: %v", r.Outcome, r.Release.Short(), past[0].Release.Short(), want.Short(), err)
	}
}
