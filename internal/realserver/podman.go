package realserver

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Podman pulls an image from a registry on loopback, runs it as a container until the test
// ends and returns its base URL (with a trailing slash) once it answers over HTTP. The
// image's entrypoint must take --listen ADDR, as `mirror serve` does: the container
// shares the machine's network, so its port has to be a free one. Credentials come from
// REGISTRY_AUTH_FILE.
func Podman(t testing.TB, image string) string {
	t.Helper()
	Need(t, "runc")
	p := podman{t, Need(t, "podman"), shortDir(t)}
	addr := Loopback(FreePort(t))
	p.run("pull", "--quiet", "--tls-verify=false", image)
	id := p.run("create", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network", "host",
		image, "--listen", addr)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the container said:\n%s", p.output("logs", id))
		}
		p.output("rm", "--force", "--time", "0", id)
		p.output("rmi", "--all", "--force")
	})
	p.run("start", id)
	base := "http://" + addr + "/"
	p.await(base, id)
	return base
}

// podman is the program with storage of the test's own.
type podman struct {
	t       testing.TB
	program string
	dir     string
}

// shortDir is a folder for podman, which refuses paths above 50 characters: those of
// t.TempDir have the test's name in them.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "podman-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func (p podman) command(args ...string) *exec.Cmd {
	return exec.Command(p.program, append([]string{
		"--root", p.dir + "/root", "--runroot", p.dir + "/run", "--storage-driver", "vfs",
		"--cgroup-manager", "cgroupfs", "--runtime", "runc",
	}, args...)...)
}

func (p podman) run(args ...string) string {
	p.t.Helper()
	var stderr strings.Builder
	cmd := p.command(args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("podman %s: %v\n%s%s", strings.Join(args, " "), err, out, &stderr)
	}
	return strings.TrimSpace(string(out))
}

func (p podman) output(args ...string) string {
	out, _ := p.command(args...).CombinedOutput() // shown to a person, or of no consequence
	return string(out)
}

func (p podman) await(url, id string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startup)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			return
		}
		select {
		case <-ctx.Done():
			p.t.Fatalf("the container does not answer after %s; it said:\n%s", startup, p.output("logs", id))
		case <-tick.C:
		}
	}
}
