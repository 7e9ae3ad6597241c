package oci

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/targets"
	"mirror/targets/targettest"
)

// recorder is a rollout command that appends its arguments to a file, and fails while
// there is a file named fail beside it.
func recorder(t *testing.T) (argv []string, lines func() []string, fail func(bool)) {
	t.Helper()
	dir := t.TempDir()
	script := `printf '%s\n' "$*" >> "$0/log"; if [ -e "$0/fail" ]; then echo the cluster says no >&2; exit 7; fi`
	lines = func() []string {
		text, err := os.ReadFile(filepath.Join(dir, "log"))
		if err != nil {
			return nil
		}
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	fail = func(yes bool) {
		if !yes {
			os.Remove(filepath.Join(dir, "fail"))
		} else if err := os.WriteFile(filepath.Join(dir, "fail"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"sh", "-c", script, dir, "app={image}@{digest}", "{tag}", "{release}"}, lines, fail
}

func TestRolloutCommand(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	argv, lines, _ := recorder(t)
	p.config.Rollout.Exec = argv
	tgt := p.open(t, targets.Env{State: t.TempDir()})
	line := func() string {
		live, err := tgt.Live(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return "app=" + p.tag.Context().Name() + "@" + live.Revision + " live " + string(live.Release)
	}
	publish(t, tgt, pages)
	want := []string{line()}
	swap := publish(t, tgt, targettest.Files{"index.html": "next"})
	want = append(want, line())
	if err := tgt.Commit(t.Context(), swap); err != nil { // done already: nothing to roll out
		t.Fatal(err)
	}
	if err := tgt.Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	want = append(want, line())
	if err := tgt.Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	if got := lines(); !slices.Equal(got, want) {
		t.Errorf("rollouts: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestRolloutFails fails after the tag has moved. The error shows what the command said;
// what is owed is made good by another process, by going on or by going back.
func TestRolloutFails(t *testing.T) {
	for _, back := range []bool{false, true} {
		p, state := newPlace(t, embeddedRegistry(t)), t.TempDir()
		argv, lines, fail := recorder(t)
		p.config.Rollout.Exec = argv
		first := publish(t, p.open(t, targets.Env{State: state}), targettest.Files{"index.html": "first"})
		fail(true)
		swap, err := targettest.Publish(t.Context(), p.open(t, targets.Env{State: state}), targettest.Release(pages))
		if err == nil || !strings.Contains(err.Error(), "the cluster says no") || !strings.Contains(err.Error(), "exit status 7") {
			t.Fatalf("got %v, want what the command said", err)
		}
		fail(false)
		tgt, want := p.open(t, targets.Env{State: state}), swap.To
		wantPlanned(t, tgt, "") // so that a publish does not take it for done
		if back {
			err, want = tgt.Rollback(t.Context(), swap), first.To
		} else {
			_, err = targettest.Publish(t.Context(), tgt, targettest.Release(pages))
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := lines(); len(got) != 3 || !strings.HasSuffix(got[2], string(want)) {
			t.Errorf("back %v: got rollouts\n%s\nwant a third, of %s", back, strings.Join(got, "\n"), want)
		}
	}
}

// TestRolloutOfRollbackFails fails when the tag is back already: the same rollback again
// rolls out what is live.
func TestRolloutOfRollbackFails(t *testing.T) {
	p, state := newPlace(t, embeddedRegistry(t)), t.TempDir()
	argv, lines, fail := recorder(t)
	p.config.Rollout.Exec = argv
	first := publish(t, p.open(t, targets.Env{State: state}), targettest.Files{"index.html": "first"})
	swap := publish(t, p.open(t, targets.Env{State: state}), pages)
	fail(true)
	if err := p.open(t, targets.Env{State: state}).Rollback(t.Context(), swap); err == nil {
		t.Fatal("the rollout's failure was swallowed")
	}
	fail(false)
	if err := p.open(t, targets.Env{State: state}).Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	if got := lines(); len(got) != 4 || !strings.HasSuffix(got[3], string(first.To)) {
		t.Errorf("got rollouts\n%s\nwant a fourth, of %s", strings.Join(got, "\n"), first.To)
	}
}

func TestRolloutTakesTooLong(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	p.config.Rollout.Exec = []string{"sleep", "600"}
	tgt := p.open(t, targets.Env{})
	tgt.rollout.exec = 50 * time.Millisecond
	_, err := targettest.Publish(t.Context(), tgt, targettest.Release(pages))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

func TestRolloutWebhook(t *testing.T) {
	var got map[string]string
	status := http.StatusNoContent
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = nil
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.Method != http.MethodPost {
			t.Errorf("webhook: got %s, %v", r.Method, err)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(hook.Close)
	p := newPlace(t, embeddedRegistry(t))
	p.config.Rollout.Webhook = hook.URL + "/deploy?token=hush"
	tgt := p.open(t, targets.Env{})
	publish(t, tgt, pages)
	live, err := tgt.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got["image"] != p.config.Image || got["digest"] != live.Revision || got["release"] != string(live.Release) {
		t.Errorf("webhook: got %v, want %+v", got, live)
	}
	for _, status = range []int{http.StatusInternalServerError, http.StatusFound} {
		_, err = targettest.Publish(t.Context(), tgt, targettest.Release(targettest.Files{"index.html": http.StatusText(status)}))
		if err == nil || !strings.Contains(err.Error(), http.StatusText(status)) || strings.Contains(err.Error(), "hush") {
			t.Errorf("status %d: got %v, want an error without the token", status, err)
		}
	}
}

// TestRolloutJournalFailsNothing breaks the file that says what is owed while the command runs:
// the image is live and rolled out, and a commit that failed would take it back everywhere.
func TestRolloutJournalFailsNothing(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	state := t.TempDir()
	p.config.Rollout.Exec = []string{"sh", "-c", `rm -f "$0/rollout.json" && mkdir -p "$0/rollout.json/in the way"`, state}
	tgt := p.open(t, targets.Env{State: state})
	publish(t, tgt, pages)
	if info, err := os.Stat(filepath.Join(state, "rollout.json")); err != nil || !info.IsDir() {
		t.Fatalf("the command did not run: %v", err)
	}
}

// TestWebhookAnswerMayBeCut has a webhook that took the release and broke its answer off.
func TestWebhookAnswerMayBeCut(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("do"))
	}))
	defer hook.Close()
	p := newPlace(t, embeddedRegistry(t))
	p.config.Rollout.Webhook = hook.URL
	publish(t, p.open(t, targets.Env{State: t.TempDir()}), pages)
}
