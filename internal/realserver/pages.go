package realserver

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// GitPages is a git host that deploys a branch as Pages do: git http-backend behind nginx
// takes the pushes, and a post-receive hook exports the branch, waits for delay and turns
// the symlink that another nginx serves.
type GitPages struct {
	Remote string // the repository's URL
	Site   string // base URL of the live site, ending in a slash
	Repo   string // the bare repository's folder
	Live   string // the folder that is served
}

// Pages starts a GitPages for the branch gh-pages.
func Pages(t testing.TB, delay time.Duration) GitPages {
	t.Helper()
	dir := t.TempDir()
	g := GitPages{Repo: filepath.Join(dir, "repos", "site.git"), Live: filepath.Join(dir, "live")}
	deploys := filepath.Join(dir, "deploys")
	for _, d := range []string{filepath.Dir(g.Repo), filepath.Join(deploys, "none")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(deploys, "none"), g.Live); err != nil {
		t.Fatal(err)
	}
	BareRepository(t, g.Repo, "gh-pages")
	hook := fmt.Sprintf(deployHook, deploys, g.Live, delay.Seconds())
	if err := os.WriteFile(filepath.Join(g.Repo, "hooks", "post-receive"), []byte(hook), 0o755); err != nil {
		t.Fatal(err)
	}
	g.Remote = GitHTTP(t, filepath.Dir(g.Repo)) + "/site.git"
	g.Site = Nginx(t, g.Live) + "/"
	return g
}

// deployHook takes the folder for exports, the symlink and the delay in seconds. The
// deployment goes on after the push was answered; one of an older push never ends last.
const deployHook = `#!/bin/sh
set -e
while read old new ref; do
	[ "$ref" = refs/heads/gh-pages ] || continue
	(
		sleep %[3]g
		flock 9
		[ "$(git rev-parse -q --verify refs/heads/gh-pages)" = "$new" ] || exit 0
		to=%[1]s/$new
		rm -rf "$to" && mkdir "$to" && git archive "$new" | tar -x -C "$to"
		ln -sfn "$to" %[2]s.next && mv -T %[2]s.next %[2]s
	) >/dev/null 2>&1 9>%[1]s/lock &
done
`
