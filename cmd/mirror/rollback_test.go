package main

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/realserver"
	"mirror/internal/static"
	"mirror/internal/workspace"
	"mirror/site"
)

// TestRollbackOfRandomHistories publishes releases of random files to every kind of target (those of the lab, a folder here, one
// on a real SSH server, and the example of a program), and goes back to one of those that are held, from a machine that knows nothing and has no site. Every
// origin serves that release byte for byte, and a second rollback goes forward again. With
// MIRROR_EXPERIMENT=full there are 20 histories, and the windows of rollbacks are compared with those of publishes.
func TestRollbackOfRandomHistories(t *testing.T) {
	longtest.Skip(t, "publishes often")
	t.Parallel()
	random := rand.New(rand.NewPCG(12, 7))
	histories := 1
	var published, rolledBack []time.Duration // upper bounds of windows
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		histories = 20
	}
	for history := range histories {
		r := newTrial(t)
		r.configure("check:\n", strings.Join(folderTargets(t), "")+"publish: {max_delete: 100%}\ncheck:\n")
		var all []*publish.Report
		for edition := range 3 {
			r.write(randomSite(random, edition))
			all = append(all, r.publish(publish.Auto))
		}
		for _, report := range all[1:] {
			published = append(published, upperOf(t, report))
		}
		r.app.stateDir = filepath.Join(t.TempDir(), "fresh")
		if err := os.Rename(r.site, r.site+".gone"); err != nil {
			t.Fatal(err)
		}
		back := all[random.IntN(2)]
		for _, to := range []*publish.Report{back, all[2]} {
			asked := string(to.Release[:8])
			if to == all[2] {
				asked = "" // the one before
			}
			report := r.rollback(asked)
			if report.Release != to.Release || !report.Rollback {
				t.Fatalf("history %d: %s is live, want %s", history, report.Release.Short(), to.Release.Short())
			}
			rolledBack = append(rolledBack, upperOf(t, report))
			if v := r.check(); !v.Agree() || v.Release != to.Release {
				t.Errorf("history %d: after the rollback: %+v", history, v)
			}
		}
	}
	ratio := float64(median(rolledBack)) / float64(median(published))
	t.Logf("%d histories: the median window of a publish is at most %s, that of a rollback %s: %.2f times as long", histories, median(published), median(rolledBack), ratio)
	if histories > 1 && ratio > 1.5 {
		t.Errorf("a rollback's window is %.2f times as long as a publish's, want 1.5 at most", ratio)
	}
}

// folderTargets are targets of the kinds that the lab does not have. A file server is before each.
func folderTargets(t *testing.T) []string {
	t.Helper()
	var all []string
	served := func(target, folder string) {
		s := httptest.NewServer(static.New(static.Dir(filepath.Join(folder, "current")), static.Options{NotFound: "404.html", ContentType: site.ContentType}))
		t.Cleanup(s.Close)
		all = append(all, fmt.Sprintf("  - {%s, origin: {url: %q}}\n", target, s.URL+"/"))
	}
	folder := filepath.Join(t.TempDir(), "www")
	served(fmt.Sprintf("name: disk, type: dir, path: %q", folder), folder)
	folder, login := filepath.Join(t.TempDir(), "www"), realserver.SSHDWith(t, "ForceCommand internal-sftp\n")
	served(fmt.Sprintf("name: host, type: ssh, url: %q, ssh_key: %q, known_hosts: %q", login.URL(folder), login.Key, login.KnownHosts), folder)
	if runtime.GOOS == "linux" { // for which the example is
		folder = filepath.Join(t.TempDir(), "www")
		program, err := filepath.Abs("../../docs/targets/exec-example-all.sh")
		if err != nil {
			t.Fatal(err)
		}
		served(fmt.Sprintf("name: program, type: exec, command: [sh, %q, %q]", program, folder), folder)
	}
	return all
}

// upperOf is the upper bound of a window that closed.
func upperOf(t *testing.T, r *publish.Report) time.Duration {
	t.Helper()
	if r.Window == nil || !r.Window.Closed || r.Window.Pages == 0 {
		t.Fatalf("no window: %+v", r)
	}
	return r.Window.Upper
}

// randomSite is a site of a few files, some of which every edition has.
func randomSite(random *rand.Rand, edition int) map[string]string {
	files := map[string]string{"index.html": fmt.Sprint("edition ", edition), "404.html": "not here", "same.html": "same"}
	for range 3 + random.IntN(5) {
		files[fmt.Sprintf("d%d/p%d.html", random.IntN(3), random.IntN(6))] = fmt.Sprint("text ", random.IntN(4))
	}
	return files
}

// rollback does what `mirror rollback` does.
func (r *trial) rollback(asked string) *publish.Report {
	r.t.Helper()
	var report *publish.Report
	err := r.app.inWorkspace(func(w *workspace.Workspace) (err error) {
		report, err = w.Rollback(r.t.Context(), workspace.RollbackOptions{Release: asked, VerifyTimeout: time.Minute})
		return err
	})
	if err != nil || report.Outcome != publish.Live || len(report.Warnings) > 0 {
		r.t.Fatalf("rollback to %q: got %+v, %v", asked, report, err)
	}
	return report
}
