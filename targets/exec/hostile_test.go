//go:build unix

package exec_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/site"
	"mirror/targets"
	target "mirror/targets/exec"
	"mirror/targets/grace"
	"mirror/targets/targettest"
)

// asked are the requests that a program gets only if it says that it can do them.
var asked = map[string]func(ctx context.Context, t *target.Target, live targets.Live, rel *site.Release) error{
	"reserve": func(ctx context.Context, t *target.Target, live targets.Live, rel *site.Release) error {
		_, err := t.Reserve(ctx, targets.Swap{From: live, To: rel.ID()})
		return err
	},
	"held": func(ctx context.Context, t *target.Target, _ targets.Live, _ *site.Release) error {
		return t.Prune(ctx, targets.Retention{Keep: 1, Grace: -1})
	},
	"prune": func(ctx context.Context, t *target.Target, _ targets.Live, rel *site.Release) error {
		return t.Prune(ctx, targets.Retention{Keep: 1, Grace: -1})
	},
	"restore": func(ctx context.Context, t *target.Target, live targets.Live, _ *site.Release) error {
		_, err := t.Restore(ctx, live.Release)
		return err
	},
	"read_notes": func(ctx context.Context, t *target.Target, _ targets.Live, _ *site.Release) error {
		_, err := t.ReadNotes(ctx, 1000)
		return err
	},
	"write_notes": func(ctx context.Context, t *target.Target, _ targets.Live, _ *site.Release) error {
		return t.WriteNotes(ctx, []byte("x"))
	},
	"erase": func(ctx context.Context, t *target.Target, _ targets.Live, rel *site.Release) error {
		_, err := t.Erase(ctx, targets.Erasure{Paths: []string{"secret"}, Live: rel})
		return err
	},
}

// hangs is a program that answers nothing.
const hangs = `exec sleep 600`

// misbehave asks a target whose program does something else at one request. If that hangs, it has little time, and more where
// the program did not come as far as that request, as on a busy machine.
func misbehave(t *testing.T, op, does, program, place string, ask func(bad *target.Target) error) error {
	t.Helper()
	for timeout := 2 * time.Second; ; timeout *= 4 {
		c := target.Config{Command: []string{"sh", "-c", `if [ $MIRROR_OP = ` + op + ` ]; then ` + does + `; else exec sh "$0" "$1"; fi`, program, place}}
		if does == hangs {
			c.Timeout = timeout.String()
		}
		bad, err := target.Open(c, targets.Env{})
		must(t, err)
		err = ask(bad)
		if does != hangs || timeout > time.Minute || err == nil || strings.Contains(err.Error(), "asked for "+op) {
			return err
		}
	}
}

// TestMisbehavedCapabilities has a program do what it should not at a request that only some programs get. The error is clear,
// and the next request to a program that works succeeds.
func TestMisbehavedCapabilities(t *testing.T) {
	longtest.Skip(t, "waits for programs that hang")
	t.Parallel()
	program := script(t, "exec-example-all.sh")
	for op, ask := range asked {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			place := filepath.Join(t.TempDir(), "blog")
			good := open(t, "sh", program, place)
			var live targets.Live
			var rel *site.Release
			for _, text := range []string{"one", "two", "three"} {
				rel = targettest.Release(targettest.Files{"index.html": text})
				_, err := targettest.Publish(t.Context(), good, rel)
				must(t, err)
			}
			live, err := good.Live(t.Context())
			must(t, err)
			for _, c := range []struct{ does, want string }{
				{`echo done. have a nice day`, `is not JSON of the protocol: "done. have a nice day"`},
				{hangs, "it printed nothing for "},
				{`yes '{"held":null}'`, "it prints more than"},
				{`true`, "it ended without an answer"},
			} {
				err := misbehave(t, op, c.does, program, place, func(bad *target.Target) error { return ask(t.Context(), bad, live, rel) })
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "asked for "+op) {
					t.Errorf("%s: got %.300v, want %q", c.does, err, c.want)
				}
			}
			if text, err := os.ReadFile(filepath.Join(place, "current", "index.html")); err != nil || string(text) != "three" {
				t.Errorf("live is %q, %v", text, err)
			}
			must(t, ask(t.Context(), good, live, rel))
		})
	}
}

// TestHostileAnswers has a program name files that are none, too large, or of another release.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	program := script(t, "exec-example-all.sh")
	place := filepath.Join(t.TempDir(), "blog")
	rel := targettest.Release(targettest.Files{"index.html": "one", "a.html": "a"})
	_, err := targettest.Publish(t.Context(), open(t, "sh", program, place), rel)
	must(t, err)
	const answer = `printf '{"mirror":1,"id":"%s","ok":true%s}\n' "$MIRROR_ID" `
	restore := func(tgt *target.Target) error {
		held, err := tgt.Restore(t.Context(), rel.ID())
		if err != nil {
			return err
		}
		defer held.Close()
		return held.Copy(t.Context(), &bytes.Buffer{}, held.Manifest()[0])
	}
	notes := func(tgt *target.Target) error { _, err := tgt.ReadNotes(t.Context(), 1000); return err }
	live := func(tgt *target.Target) error { _, err := tgt.Grace(t.Context()); return err }
	prune := func(tgt *target.Target) error { return tgt.Prune(t.Context(), targets.Retention{Keep: 1}) }
	for name, c := range map[string]struct {
		op, does, want string
		ask            func(tgt *target.Target) error
	}{
		"notes in a pipe":     {"read_notes", `mkfifo "$MIRROR_NOTES"; ` + answer + `""`, "not a regular file", notes},
		"long notes":          {"read_notes", `head -c 2000 /dev/zero >"$MIRROR_NOTES"; ` + answer + `""`, "1000", notes},
		"no folder":           {"restore", answer + `",\"folder\":\"/nowhere\",\"manifest\":\"$1/releases/$(readlink "$1/current" | cut -d/ -f2).files\""`, "/nowhere", restore},
		"a link in a folder":  {"restore", `cp "$1"/current/index.html "$MIRROR_TMP/x"; ln -s "$MIRROR_TMP/x" "$MIRROR_FOLDER/index.html"; ln -s x "$MIRROR_FOLDER/a.html"; ` + answer + `",\"manifest\":\"$1/releases/$(readlink "$1/current" | cut -d/ -f2).files\""`, "not held", restore},
		"another list":        {"restore", `: >"$MIRROR_TMP/x"; ` + answer + `",\"manifest\":\"$MIRROR_TMP/x\""`, "not that of release", restore},
		"grace in a pipe":     {"live", `mkfifo "$MIRROR_TMP/g"; ` + answer + `",\"grace\":\"$MIRROR_TMP/g\""`, "not a regular file", live},
		"grace leads outside": {"live", `echo '{"version":1,"files":[{"path":"../x"}]}' >"$MIRROR_TMP/g"; ` + answer + `",\"grace\":\"$MIRROR_TMP/g\""`, "not a path", live},
		"copy without a name": {"held", `echo '{"held":{"release":"` + string(rel.ID()) + `"}}'; ` + answer + `""`, "not the name of a copy", prune},
		"a copy of nothing":   {"held", `echo '{"held":{"release":"x","name":"y"}}'; ` + answer + `""`, "x", prune},
		"a name of two lines": {"held", `printf '%s\n' '{"held":{"release":"` + string(rel.ID()) + `","name":"a\nb"}}'; ` + answer + `""`, "not the name of a copy", prune},
		"too many copies":     {"held", `for i in $(seq 1100); do echo '{"held":{"release":"` + string(rel.ID()) + `","name":"a"}}'; done; ` + answer + `""`, "more than 1000 copies", prune},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := open(t, "sh", "-c", `if [ $MIRROR_OP = `+c.op+` ]; then `+c.does+`; else exec sh "$0" "$1"; fi`, program, place)
			if err := c.ask(bad); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestAProgramOfBefore has a program that announces nothing: it is asked for nothing that it does not know.
func TestAProgramOfBefore(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "asked")
	place := filepath.Join(t.TempDir(), "blog")
	tgt := openAs(t, targets.Env{Grace: &grace.Policy{Releases: 1}}, "sh", "-c", `echo $MIRROR_OP >>"$0"; exec sh "$1" "$2"`, log, script(t, "exec-example.sh"), place)
	for _, text := range []string{"one", "two"} {
		rel := targettest.Release(targettest.Files{"index.html": text, "app-3f2a9c1d.js": text})
		_, err := targettest.Publish(t.Context(), tgt, rel)
		must(t, err)
	}
	if _, ok := targets.As[targets.Guard](t.Context(), tgt); ok {
		t.Error("it supports reservations")
	}
	if _, ok := targets.As[targets.Historian](t.Context(), tgt); !ok {
		t.Error("it does not support what each program must")
	}
	if text, err := tgt.ReadNotes(t.Context(), 100); text != nil || err != nil {
		t.Errorf("notes: got %q, %v", text, err)
	}
	must(t, tgt.Prune(t.Context(), targets.Retention{Keep: 1, Grace: -1}))
	if _, err := tgt.Restore(t.Context(), "x"); !errors.Is(err, targets.ErrNotHeld) {
		t.Errorf("restore: got %v", err)
	}
	text, err := os.ReadFile(log)
	must(t, err)
	known := "live plan stage commit rollback readback past"
	for _, op := range strings.Fields(string(text)) {
		if !strings.Contains(known, op) {
			t.Errorf("it was asked for %s", op)
		}
	}
}
