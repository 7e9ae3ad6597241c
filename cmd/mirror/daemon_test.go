package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirror/internal/history"
	"mirror/internal/lab/edge"
	"mirror/internal/longtest"
)

// TestDaemonOnTheLab runs the real daemon at a check a second, has two origins fail, and
// looks at what it says, tells, remembers and costs.
func TestDaemonOnTheLab(t *testing.T) {
	longtest.Skip(t, "runs a daemon for half a minute")
	t.Parallel()
	w := newDaemonWorld(t, "schedule: [{name: look, cron: '@every 1s', run: check}, {name: live, cron: '@yearly', run: publish, watch: true}]\ndaemon: {token_env: API_TOKEN}\n")
	d := w.start()
	h := w.history()
	seen := func(open int) func() bool {
		return func() bool {
			all, err := h.Episodes(t.Context(), history.EpisodeFilter{Open: true})
			return err == nil && len(all) == open
		}
	}
	await(t, "the publish of what may have changed before", func() bool {
		p, ok, err := h.LastPublish(t.Context())
		return err == nil && ok && p.Job == "live" && p.Outcome == "unchanged"
	})
	w.lab.S3.SetFault(edge.Reset)
	w.lab.Git.Override("/posts/3.html", edge.Noise(nil))
	await(t, "two episodes", seen(2))
	await(t, "news of them", func() bool { return len(w.hook.all()) == 2 })
	w.lab.S3.SetFault(nil)
	w.lab.Git.Override("/posts/3.html", nil)
	await(t, "their end", seen(0))
	await(t, "news of that", func() bool { return len(w.hook.all()) == 4 })
	for _, want := range []string{"opened unreachable s3", "opened drift git", "closed unreachable s3", "closed drift git"} {
		if w.hook.count(want) != 1 {
			t.Errorf("told %q, want %q once", w.hook.all(), want)
		}
	}
	all, err := h.Episodes(t.Context(), history.EpisodeFilter{})
	if err != nil || len(all) != 2 {
		t.Fatalf("got %+v, %v", all, err)
	}
	for _, e := range all {
		if e.LastGood.After(e.Opened) || e.Opened.After(e.LastSeen) || e.LastSeen.After(e.Closed) { // each is when a check began
			t.Errorf("got %+v", e)
		}
	}
	w.publishesChanges(d, h)
	w.obeysItsAPI(d, h)
	w.reloads(d)
	d.isSmall()
	d.stop(syscall.SIGTERM)
}

// publishesChanges changes the site.
func (w *daemonWorld) publishesChanges(d *runningDaemon, h *history.Store) {
	w.t.Helper()
	w.write("public/posts/new/page.html", "new")
	await(w.t, "a publish of the changed site", func() bool {
		p, ok, err := h.LastPublish(w.t.Context())
		return err == nil && ok && p.Job == "live" && p.Outcome == "live"
	})
	await(w.t, "the new page on the dashboard", func() bool { return strings.Contains(d.get("/publishes"), "live") })
}

// obeysItsAPI starts a check with the token, and none without.
func (w *daemonWorld) obeysItsAPI(d *runningDaemon, h *history.Store) {
	w.t.Helper()
	for token, want := range map[string]int{"": http.StatusUnauthorized, "wrong": http.StatusUnauthorized, "secret-of-the-test": http.StatusAccepted} {
		request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, d.url+"/api/v1/publish", nil)
		if err != nil {
			w.t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			w.t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			w.t.Errorf("token %q: %s, want %d", token, answer.Status, want)
		}
	}
	await(w.t, "the publish that was asked for", func() bool {
		p, ok, err := h.LastPublish(w.t.Context())
		return err == nil && ok && p.Outcome == "unchanged"
	})
}

// reloads changes the config for the worse, and then for the better.
func (w *daemonWorld) reloads(d *runningDaemon) {
	w.t.Helper()
	text, err := os.ReadFile(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write("mirror.yaml", string(text)+"junk: 1\n")
	await(w.t, "the refusal", func() bool { return strings.Contains(d.log.String(), "is refused") })
	await(w.t, "the refusal on every page", func() bool { return strings.Contains(d.get("/jobs"), "unknown key") })
	if ready := d.get("/readyz"); !strings.HasPrefix(ready, "ready\n") || !strings.Contains(ready, "is refused") {
		w.t.Errorf("readyz says %q", ready)
	}
	w.write("mirror.yaml", strings.Replace(string(text), "name: look,", "name: look-again,", 1))
	await(w.t, "the new job", func() bool { return strings.Contains(d.get("/jobs"), "look-again") })
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		w.t.Fatal(err)
	}
	await(w.t, "another look at the config", func() bool { return strings.Count(d.log.String(), "the config was read again") == 2 })
}

// isSmall holds the daemon to its memory, without the pages of its program file. What a check has
// just used goes back to the system with the next collections.
func (d *runningDaemon) isSmall() {
	d.t.Helper()
	d.t.Logf("resident memory %d MB, at most %d MB, %d MB of it its own", d.memory("VmRSS:")>>10, d.memory("VmHWM:")>>10, d.memory("RssAnon:")>>10)
	await(d.t, "less than 80 MB of memory of its own", func() bool { return d.memory("RssAnon:") <= 80<<10 })
}

// memory is a figure of the process's status, in kilobytes.
func (d *runningDaemon) memory(name string) int {
	d.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.t.Skip("there is no /proc here")
	}
	_, rest, _ := strings.Cut(string(text), name)
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

// TestIdleDaemon costs next to nothing.
func TestIdleDaemon(t *testing.T) {
	longtest.Skip(t, "watches an idle daemon for 10 seconds")
	t.Parallel()
	w := newDaemonWorld(t, "schedule: [{name: look, cron: '@every 1h', run: check}]\n")
	d := w.start()
	h := w.history()
	await(t, "the first check", func() bool {
		_, ok, err := h.LastCheck(t.Context())
		return err == nil && ok
	})
	const span, tries = 10 * time.Second, 6
	used := span
	for try := 0; try < tries && used > span/100; try++ { // what followed the check may go on for a while
		before := d.ticks()
		<-time.After(span) // how much is used is what is measured
		used = time.Duration(d.ticks()-before) * 10 * time.Millisecond
		t.Logf("%s of %s: %.2f %%", used, span, 100*used.Seconds()/span.Seconds())
	}
	if used > span/100 {
		t.Errorf("idle, it used %s of %s", used, span)
	}
	d.stop(os.Interrupt)
}

// ticks is the processor time that the process has used, in hundredths of a second.
func (d *runningDaemon) ticks() (n int) {
	d.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		d.t.Skip("there is no /proc here")
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	for _, field := range strings.Fields(rest)[11:13] { // utime and stime; proc_pid_stat(5)
		ticks, err := strconv.Atoi(field)
		if err != nil {
			d.t.Fatal(err)
		}
		n += ticks
	}
	return n
}
