package realserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

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
