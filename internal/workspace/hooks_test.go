package workspace_test

import (
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/publish"
	"mirror/internal/workspace"
)

// hooked is a place with a hook that is a line for a shell.
func hooked(t *testing.T, line, more string) *place {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	p := newPlace(t, "http://127.0.0.1:1/", "")
	p.write("mirror.yaml", fmt.Sprintf("version: 1\nsite: {dir: ./public}\ntargets: [{name: disk, type: dir, path: ./disk, origin: {url: %q}}]\nhooks: {after_publish: [sh, -c, %q]%s}\n",
		folderServer(t, filepath.Join(p.root, "disk", "current")), line, more))
	p.Workspace = p.open("state")
	return p
}

// TestHookAfterPublish has a hook write what it gets, from commands and from a job of the daemon.
func TestHookAfterPublish(t *testing.T) {
	t.Parallel()
	p := hooked(t, `echo "$MIRROR_OUTCOME $MIRROR_RELEASE $MIRROR_PREVIOUS $MIRROR_ROLLBACK" >> said; cat "$MIRROR_CHANGED" >> said`, "")
	p.write("public/a\nb.html", "odd")
	first := p.publish()
	p.write("public/index.html", "home 2")
	if staged, err := p.Publish(t.Context(), workspace.PublishOptions{StageOnly: true}); err != nil || staged.Outcome != publish.Staged {
		t.Fatalf("got %+v, %v", staged, err)
	}
	second := p.publish()
	setup, err := p.DaemonSetup(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := setup.Work.Publish(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("live %s  false\na\\nb.html\nindex.html\nlive %s %s false\nindex.html\nunchanged %[2]s %[2]s false\n", first.Release, second.Release, first.Release)
	if got := p.read("said"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestHookThatFails is a warning, as is one that takes too long.
func TestHookThatFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, timeout, want string }{
		{"exit 3", "10m", "hooks.after_publish (sh): exit status 3"},
		{"exec sleep 600", "200ms", "it took longer than 200ms (hooks.timeout)"},
	} {
		report := hooked(t, c.line, ", timeout: "+c.timeout).publish()
		if report.Outcome != publish.Live || len(report.Warnings) != 1 || !strings.Contains(report.Warnings[0], c.want) {
			t.Errorf("%s: got %s with %q", c.line, report.Outcome, report.Warnings)
		}
	}
}
