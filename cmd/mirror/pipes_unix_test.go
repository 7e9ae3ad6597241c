//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pipeWorld is a site that is published to a folder by the real program.
type pipeWorld struct {
	t   *testing.T
	dir string
}

func newPipeWorld(t *testing.T) pipeWorld {
	t.Helper()
	w := pipeWorld{t, t.TempDir()}
	w.write("public/index.html", "<h1>home</h1>")
	w.write("public/404.html", "not here")
	w.write("mirror.yaml", "version: 1\nsite: {dir: public, not_found: 404.html}\ntargets:\n  - {name: disk, type: dir, path: www}\n")
	if code, said := w.mirror("publish"); code != 0 {
		t.Fatalf("publish: exit code %d\n%s", code, said)
	}
	return w
}

func (w pipeWorld) write(name, text string) {
	w.t.Helper()
	file := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// mirror runs the program, which has to end by itself.
func (w pipeWorld) mirror(args ...string) (code int, said string) {
	w.t.Helper()
	path, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = w.dir
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		w.t.Fatalf("mirror %s waits for ever\n%s", strings.Join(args, " "), out)
	}
	if err != nil && cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// pipe puts a named pipe in the place of a file.
func (w pipeWorld) pipe(name string) {
	w.t.Helper()
	file := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.RemoveAll(file); err != nil {
		w.t.Fatal(err)
	}
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// TestPipesInPlaceOfFiles has a named pipe wherever the program reads or writes a file of its
// own, in the site and in the live folder. No command waits for it, and a publish works again
// where no more than a cache is lost.
func TestPipesInPlaceOfFiles(t *testing.T) {
	for _, c := range []struct {
		name    string
		publish int // the exit code wanted, -1 for any
	}{
		{".mirror/scan", 0}, {".mirror/owner", 0}, {".mirror/journal.json", 0}, {".mirror/lock", 0},
		{".mirror/history.db", -1}, {".mirror/.gitignore", -1}, {".mirror", -1},
		{"www/current/index.html", 0}, {"www/.mirror.lock", 0},
		{"public/pipe.html", -1}, {"public", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newPipeWorld(t)
			w.pipe(c.name)
			for _, command := range []string{"plan", "check", "history"} {
				w.mirror(command)
			}
			if c.name != "public" {
				w.write("public/index.html", "<h1>another</h1>")
			}
			if code, said := w.mirror("publish"); c.publish >= 0 && code != c.publish {
				t.Errorf("publish: got exit code %d, want %d\n%s", code, c.publish, said)
			} else if code != 0 && !strings.Contains(said, filepath.Base(c.name)) && !strings.Contains(said, "hint") {
				t.Errorf("publish: %s", fmt.Sprintf("the failure names nothing: %s", said))
			}
		})
	}
}
