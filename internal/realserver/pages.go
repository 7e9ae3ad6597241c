package realserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// Runtime runs one container with podman, from whatever image it was last told.
type Runtime struct {
	Rollout []string // the command that pulls {image} and puts a container of it in place
	Site    string   // base URL of the container, ending in a slash
	dir     string
	t       testing.TB
}

// NewRuntime returns a runtime without a container yet. The image must serve as
// `mirror serve` does.
func NewRuntime(t testing.TB) *Runtime {
	t.Helper()
	Need(t, "runc")
	r := &Runtime{t: t, dir: shortDir(t)}
	addr := Loopback(FreePort(t))
	r.Site = "http://" + addr + "/"
	script := filepath.Join(r.dir, "rollout")
	podman := strings.Join(r.podman().Args, " ")
	text := fmt.Sprintf(rolloutScript, podman, addr)
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	r.Rollout = []string{script, "{image}", "{digest}"}
	t.Cleanup(func() {
		r.Stop()
		podman := r.podman("rmi", "--all", "--force")
		if out, err := podman.CombinedOutput(); err != nil && t.Failed() {
			t.Logf("podman rmi: %v: %s", err, out)
		}
	})
	return r
}

// rolloutScript takes podman with its options and the address.
const rolloutScript = `#!/bin/sh
set -e
image="$1@$2"
%[1]s pull --quiet --tls-verify=false "$image"
%[1]s rm --force --ignore --time 0 site
%[1]s run --detach --name site --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --network host "$image" --listen %[2]s
`

// Stop ends the container, as a host that goes away.
func (r *Runtime) Stop() {
	r.t.Helper()
	if out, err := r.podman("rm", "--force", "--ignore", "--time", "0", "site").CombinedOutput(); err != nil {
		r.t.Errorf("podman rm: %v: %s", err, out)
	}
}

func (r *Runtime) podman(args ...string) *exec.Cmd {
	return podman{r.t, Need(r.t, "podman"), r.dir}.command(args...)
}
