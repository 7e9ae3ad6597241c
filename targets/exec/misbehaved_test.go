//go:build unix

package exec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/longtest"
	"mirror/targets"
	target "mirror/targets/exec"
	"mirror/targets/targettest"
)

// TestMisbehavedPrograms has a program do at one request what no program should: the publish fails with a clear
// error, what is live stays as it is, and the next publish succeeds.
func TestMisbehavedPrograms(t *testing.T) {
	longtest.Skip(t, "waits for programs that hang")
	t.Parallel()
	program, err := filepath.Abs("../../docs/targets/exec-example.sh")
	must(t, err)
	const ok = `printf '{"mirror":1,"id":"%s","ok":true}\n' "$MIRROR_ID"`
	for name, c := range map[string]struct{ does, want string }{
		"nonsense":       {`echo done. have a nice day`, `line 1 of its output is not JSON of the protocol: "done. have a nice day"`},
		"binary":         {`head -c 70000 /dev/zero; exit 1`, "a line of more than 65536 bytes"},
		"nothing":        {`true`, "it ended without an answer"},
		"dies":           {`echo "out of cheese" >&2; kill -9 $$`, "out of cheese"},
		"fails after ok": {ok + `; exit 3`, "it answered ok and ended with exit status 3"},
		"hangs":          {hangs, "it printed nothing for "},
		"another id":     {`echo '{"mirror":1,"id":"x","ok":true}'`, "it answers another request"},
		"goes on":        {ok + "; " + ok, "it goes on after its answer"},
		"another version": {`printf '{"mirror":2,"id":"%s","ok":true}\n' "$MIRROR_ID"`,
			"it speaks version 2 of the protocol, and mirror speaks 1"},
		"neither ok nor error": {`printf '{"mirror":1,"id":"%s"}\n' "$MIRROR_ID"`, "it answers neither ok nor an error"},
		"floods stdout":        {`yes '{"progress":{}}'`, "it prints more than"},
		"floods stderr":        {`yes floods | head -c 4000000 >&2; echo x`, "floods"},
		"an error of its own":  {`printf '{"mirror":1,"id":"%s","error":"the disk is full"}\n' "$MIRROR_ID"`, "the disk is full"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := filepath.Join(t.TempDir(), "blog")
			good := open(t, "sh", program, place)
			one, two := targettest.Release(targettest.Files{"index.html": "one"}), targettest.Release(targettest.Files{"index.html": "two"})
			_, err := targettest.Publish(t.Context(), good, one)
			must(t, err)
			for _, op := range []string{"stage", "commit"} {
				plan, err := good.Plan(t.Context(), two)
				must(t, err)
				err = misbehave(t, op, c.does, program, place, func(bad *target.Target) error {
					if op == "stage" {
						return bad.Stage(t.Context(), two, nil)
					}
					must(t, good.Stage(t.Context(), two, nil))
					return bad.Commit(t.Context(), targets.Swap{From: plan.Live, To: two.ID()})
				})
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "asked for "+op) || len(err.Error()) > 6000 {
					t.Errorf("%s: got %.300v, want %q", op, err, c.want)
				}
				if text, err := os.ReadFile(filepath.Join(place, "current", "index.html")); err != nil || string(text) != "one" {
					t.Errorf("%s: live is %q, %v", op, text, err)
				}
			}
			_, err = targettest.Publish(t.Context(), good, two)
			must(t, err)
			if text, err := os.ReadFile(filepath.Join(place, "current", "index.html")); err != nil || string(text) != "two" {
				t.Errorf("the next publish: live is %q, %v", text, err)
			}
		})
	}
}
