package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mirror/internal/history"
	"mirror/internal/longtest"
)

// TestDaemonDeletesNoForeignFiles runs a daemon whose publish job meets a folder that others have
// filled: the job fails, tells that and deletes nothing, and the daemon goes on. After one
// publish --adopt by hand its job publishes.
func TestDaemonDeletesNoForeignFiles(t *testing.T) {
	longtest.Skip(t, "waits for a daemon's jobs")
	t.Parallel()
	w := &daemonWorld{t: t, dir: foreignPlace(t), hook: newHook(t)}
	w.config = filepath.Join(w.dir, "mirror.yaml")
	w.write("mirror.yaml", fmt.Sprintf("version: 1\nsite: {dir: public}\ntargets:\n  - {name: disk, type: dir, path: www}\n"+
		"notify: [{name: hook, url: %q}]\nschedule: [{name: live, cron: '@yearly', run: publish, watch: true}]\n", w.hook.url))
	d, h := w.start(), w.history()
	last := func(want func(p history.Publish) bool) func() bool {
		return func() bool {
			p, ok, err := h.LastPublish(t.Context())
			return err == nil && ok && p.Job == "live" && want(p)
		}
	}
	refused := func(p history.Publish) bool {
		return p.Outcome == "failed" && strings.Contains(p.Err, "no publish has used this place before") && strings.Contains(p.Err, "--adopt")
	}
	await(t, "the refusal", last(refused))
	await(t, "the notification of it", func() bool { return len(w.hook.all()) > 0 })
	first, _, err := h.LastPublish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.write("public/index.html", "changed")
	await(t, "a refusal of the changed site", last(func(p history.Publish) bool { return p.ID > first.ID && refused(p) }))
	theirs := filepath.Join(w.dir, "www/current/uploads/a.jpg")
	if _, err := os.Stat(theirs); err != nil {
		t.Errorf("the foreign file: %v", err)
	}
	await(t, "an adoption by hand", func() bool { return w.command("publish", "-q", "--adopt").Run() == nil }) // the daemon may publish just now
	w.write("public/index.html", "changed again")
	await(t, "a publish by the daemon", last(func(p history.Publish) bool { return p.Outcome == "live" }))
	if _, err := os.Stat(theirs); !os.IsNotExist(err) {
		t.Errorf("the foreign file after the adoption: %v", err)
	}
	d.stop(syscall.SIGTERM)
}

// foreignPlace makes a config, a site and a folder of others that is served.
func foreignPlace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"mirror.yaml":              "version: 1\nsite: {dir: public}\ntargets:\n  - {name: disk, type: dir, path: www}\n",
		"public/index.html":        "ours",
		"www/theirs/index.html":    "theirs",
		"www/theirs/uploads/a.jpg": "a",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("theirs", filepath.Join(dir, "www/current")); err != nil {
		t.Fatal(err)
	}
	return dir
}
