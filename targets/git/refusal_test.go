package git

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/targettest"
)

// A host that refuses what is in a push is not sent it a second time, under another ref. The error names
// the file, also where the host names its blob, and has the host's words once.
func TestRefusedContentIsSentOnce(t *testing.T) {
	realserver.Need(t, "git")
	for name, c := range map[string]struct {
		hook, want string
		file       string // that the error names, "" where it names none
		pushes     int
	}{
		"GitHub, a large file": {
			`echo "error: File media/big.bin is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB" >&2
echo "error: GH001: Large files detected." >&2; exit 1`, "GH001", "media/big.bin", 1,
		},
		"GitLab, a blob": {
			`read old new ref; echo "GitLab: You are attempting to check in one or more blobs which exceed the 5.0MiB limit:" >&2
echo "- $(git rev-parse $new:media/big.bin) (6 MiB)" >&2; exit 1`, "5.0MiB limit", "media/big.bin", 1,
		},
		"a secret": {
			`echo "error: GH013: Repository rule violations found for refs/mirror/x." >&2; echo "- Push cannot contain secrets" >&2
echo "    path: index.html:1" >&2; exit 1`, "GH013", "index.html", 1,
		},
		"whatever": {`echo "we are closed" >&2; exit 1`, "we are closed", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t, "main")
			count := filepath.Join(t.TempDir(), "pushes")
			r.hook(t, "pre-receive", "echo x >> "+count+"\n"+c.hook)
			err := open(t, Config{URL: r.dir}, targets.Env{}).Stage(t.Context(), targettest.Release(targettest.Files{"index.html": "home", "media/big.bin": "big"}), nil)
			refused, ok := errors.AsType[*targets.RefusedError](err)
			if err == nil || ok != (c.file != "") || ok && refused.Path != c.file {
				t.Errorf("got %v; want %q refused", err, c.file)
			}
			if err != nil && strings.Count(err.Error(), c.want) != 1 {
				t.Errorf("got %v; want %q once", err, c.want)
			}
			if c.file != "" && strings.Contains(name, "blob") && strings.Count(err.Error(), c.file) != 2 {
				t.Errorf("got %v; want the file named in place of its blob", err)
			}
			if got, err := os.ReadFile(count); err != nil || strings.Count(string(got), "x") != c.pushes {
				t.Errorf("%q, %v; want %d pushes", got, err, c.pushes)
			}
		})
	}
}

// A pack over the server's limit is not sent again in another form.
func TestAPackOverTheLimitIsRefused(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	r.run(t, nil, nil, "config", "receive.maxInputSize", "200")
	err := open(t, Config{URL: r.dir}, targets.Env{}).Stage(t.Context(), targettest.Release(targettest.Files{"index.html": strings.Repeat("home ", 10), "a": "1", "b": "2", "c": "3", "d": "4"}), nil)
	if _, ok := errors.AsType[*targets.RefusedError](err); !ok || strings.Count(err.Error(), "exceeds maximum allowed size") != 1 {
		t.Errorf("got %v; want the release refused for its size", err)
	}
}
