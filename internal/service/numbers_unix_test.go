//go:build unix

package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/longtest"
	"mirror/internal/realserver"
	"mirror/internal/secrets"
	"mirror/internal/service"
	"mirror/internal/workspace"
	"mirror/reports"
	"mirror/targets/kinds"
)

// The environment of the process that is the daemon of a test, and its token.
const (
	daemonConfig = "MIRROR_TEST_DAEMON_CONFIG"
	daemonListen = "MIRROR_TEST_DAEMON_LISTEN"
	numbersToken = "token-of-the-numbers"
)

func TestMain(m *testing.M) {
	if config := os.Getenv(daemonConfig); config != "" {
		os.Exit(beDaemon(config, os.Getenv(daemonListen)))
	}
	os.Exit(m.Run())
}

// beDaemon is `mirror daemon` without its flags.
func beDaemon(config, listen string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	known := secrets.New()
	err := service.Run(ctx, service.Options{
		Listen: listen, Getenv: os.Getenv, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Version: "test", Secrets: known,
		Open: func(h *history.Store) (*workspace.Workspace, error) { return openQuietly(config, known, h) },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func openQuietly(config string, known *secrets.Scrubber, h *history.Store) (*workspace.Workspace, error) {
	return workspace.Open(workspace.Options{
		ConfigFile: config, Kinds: kinds.All(), Getenv: os.Getenv, Log: slog.New(slog.DiscardHandler), Events: workspace.NewLines(io.Discard),
		Output: io.Discard, Secrets: known, Warnings: &workspace.Warnings{}, History: h,
	})
}

// TestNumbersOverTimeAreTrue has faults of every kind begin and end on many origins under a real daemon,
// which is stopped, killed, paused and made to publish meanwhile, and whose webhook fails for a time. Every
// figure is compared with what the origins answered.
//
// MIRROR_EXPERIMENT=full is for `make experiment-numbers`: MIRROR_BINARY is the program then, and what
// MIRROR_RESULTS has already is not done again.
func TestNumbersOverTimeAreTrue(t *testing.T) {
	longtest.Skip(t, "lets daemons run for a while")
	if os.Getenv("MIRROR_EXPERIMENT") != "full" {
		t.Parallel()
		t.Logf("%+v", playNumbers(t, 1, numbersPlan{origins: 5, faults: 10, checks: 4}))
		return
	}
	first, err := strconv.ParseUint(os.Getenv("MIRROR_SEED"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	done := doneRounds(t)
	for seed := first; seed < first+fullRounds; seed++ {
		if done[seed] {
			continue
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			found := playNumbers(t, seed, numbersPlan{origins: 14, faults: 35, checks: 20, slowest: 1500 * time.Millisecond})
			if !t.Failed() {
				noteRound(t, found)
			}
		})
	}
}

// fullRounds is how many worlds the experiment has.
const fullRounds = 3

// numbersRound is what one world came to, for the file of results.
type numbersRound struct {
	Seed                                                     uint64
	Faults, Seen, Unsure, Episodes, Checks, Requests, Events int
	Figures                                                  int // that were compared
	WidestMS                                                 int64
}

func doneRounds(t *testing.T) map[uint64]bool {
	t.Helper()
	done := map[uint64]bool{}
	text, err := os.ReadFile(os.Getenv("MIRROR_RESULTS"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var r numbersRound
		if json.Unmarshal([]byte(line), &r) == nil {
			done[r.Seed] = true
			t.Logf("done before: %+v", r)
		}
	}
	return done
}

func noteRound(t *testing.T, r numbersRound) {
	t.Helper()
	t.Logf("%+v", r)
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(os.Getenv("MIRROR_RESULTS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
}

// daemonProcess is a daemon of its own process.
type daemonProcess struct {
	w   *numbersWorld
	cmd *exec.Cmd
	url string
	log *lockedText
	// accepted is what the webhook had accepted when the process began: its counters begin at 0.
	accepted int
}

// lockedText is text that a process writes and a test reads.
type lockedText struct {
	mu   sync.Mutex
	text []byte
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

func (w *numbersWorld) startDaemon() *daemonProcess {
	w.t.Helper()
	listen := realserver.Loopback(realserver.FreePort(w.t))
	config := filepath.Join(w.dir, "mirror.yaml")
	d := &daemonProcess{w: w, url: "http://" + listen, log: &lockedText{}}
	if program := os.Getenv("MIRROR_BINARY"); program != "" {
		d.cmd = exec.Command(program, "-c", config, "daemon", "--listen", listen)
		d.cmd.Env = os.Environ()
	} else {
		d.cmd = exec.Command(os.Args[0])
		d.cmd.Env = append(os.Environ(), daemonConfig+"="+config, daemonListen+"="+listen)
	}
	d.cmd.Env = append(d.cmd.Env, "NUMBERS_TOKEN="+numbersToken)
	d.cmd.Stderr = d.log
	d.accepted, _ = w.hook.counts()
	if err := d.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = d.cmd.Process.Kill() }) // it may have ended
	w.await("the dashboard", func() bool { return len(d.get("/healthz")) > 0 })
	return d
}

// get returns a page, nothing where there is none.
func (d *daemonProcess) get(path string) []byte { return d.ask(http.MethodGet, path) }

func (d *daemonProcess) ask(method, path string) []byte { return d.askWith(method, path, "") }

func (d *daemonProcess) askWith(method, path, body string) []byte {
	request, err := http.NewRequestWithContext(d.w.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.w.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+numbersToken)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= http.StatusMultipleChoices {
		return nil
	}
	return text
}

func (d *daemonProcess) signal(s os.Signal) {
	d.w.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.w.t.Fatalf("%v\n%s", err, d.log)
	}
}

// end waits for the end of the process.
func (d *daemonProcess) end(s os.Signal) {
	d.w.t.Helper()
	d.signal(s)
	late := time.AfterFunc(deadline, func() {
		d.w.t.Errorf("it runs on %s after %s", deadline, s)
		_ = d.cmd.Process.Kill() // it may have ended
	})
	defer late.Stop()
	if err := d.cmd.Wait(); err != nil && s != os.Kill {
		d.w.t.Errorf("%s: %v\n%s", s, err, d.log)
	}
}

// deadline is how long anything may take on a busy machine.
const deadline = 5 * time.Minute

// await looks until done.
func (w *numbersWorld) await(what string, done func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), deadline)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			w.t.Fatalf("%s does not come", what)
		case <-tick.C:
		}
	}
}

// publish publishes the n-th release while no fault is there. Whether the history could take that in time on
// a busy machine does not matter.
func (w *numbersWorld) publish(d *daemonProcess, n int) {
	w.t.Helper()
	w.freeze(true)
	defer w.freeze(false)
	w.await("the end of all faults", func() bool { _, active, _ := w.standing(); return active == 0 })
	w.writeSite(n)
	w.await("the start of a publish", func() bool { return d.ask(http.MethodPost, "/api/v1/publish") != nil })
	w.await(fmt.Sprint("publish ", n), func() bool {
		return w.home() == homeOf(n)
	})
	w.await("the end of the publish", func() bool {
		jobs := apiList[reports.Job](d, "/api/v1/jobs")
		return !slices.ContainsFunc(jobs, func(j reports.Job) bool { return j.Name == "live" && j.Running })
	})
}

// publishByHand publishes without a daemon.
func (w *numbersWorld) publishByHand() {
	w.t.Helper()
	space, err := openQuietly(filepath.Join(w.dir, "mirror.yaml"), secrets.New(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer space.Close()
	if report, err := space.Publish(w.t.Context(), workspace.PublishOptions{}); err != nil {
		w.t.Fatalf("%v: %+v", err, report)
	}
}

// checkByHand checks without a daemon.
func (w *numbersWorld) checkByHand(h *history.Store) {
	w.t.Helper()
	space, err := openQuietly(filepath.Join(w.dir, "mirror.yaml"), secrets.New(), h)
	if err != nil {
		w.t.Fatal(err)
	}
	defer space.Close()
	if _, err := space.Check(w.t.Context(), workspace.CheckOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// playNumbers plays the world of a seed and compares the figures.
func playNumbers(t *testing.T, seed uint64, plan numbersPlan) numbersRound {
	w := newNumbersWorld(t, seed, plan)
	w.publishByHand()
	w.writeSite(1)
	w.publishByHand()
	d := w.startDaemon()
	h, err := history.Open(t.Context(), filepath.Join(w.dir, ".mirror", history.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	w.awaitCheck(h, time.Now())
	r := &reckoning{t: t, w: w, h: h}
	check := int64(plan.origins) * requestsPerCheck
	began := w.begin()
	reached := func(share float64) {
		w.await("requests", func() bool {
			count, _, _ := w.standing()
			return count >= began+int64(share*float64(plan.checks*check))
		})
	}
	reached(0.1)
	r.snapshot(d)
	w.hook.fail(true)
	reached(0.2)
	d.signal(syscall.SIGSTOP)
	w.pass(check)
	d.signal(syscall.SIGCONT)
	reached(0.4)
	r.snapshot(d)
	d.end(os.Kill)
	w.pass(check)
	d = w.startDaemon()
	reached(0.5)
	w.hook.fail(false)
	w.publish(d, 2)
	reached(0.7)
	r.snapshot(d)
	d.end(syscall.SIGTERM)
	w.pass(check)
	d = w.startDaemon()
	w.publish(d, 3)
	w.await("the end of all faults", func() bool { _, active, waiting := w.standing(); return active+waiting == 0 })
	w.awaitCheck(h, time.Now())
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		w.await("what is to be told", func() bool { return r.toldAll() })
	}
	r.last(d)
	d.end(syscall.SIGTERM)
	return r.compare(seed)
}

// TestReckoningOfAnOriginThatIsDownForAMoment has an origin give no answer to one request of a check alone: to that
// for a page, for a removed page, for a path that never existed, or for the beacon.
func TestReckoningOfAnOriginThatIsDownForAMoment(t *testing.T) {
	for _, only := range []string{pageOf(diff.Missing), pageOf(diff.Extra), "mirror-", ".well-known/"} {
		t.Run(only, func(t *testing.T) {
			t.Parallel()
			w := newNumbersWorld(t, 1, numbersPlan{origins: 1})
			w.faults = []*worldFault{{origin: w.origins[0], kind: diff.Unreachable, whole: true, only: only, length: 1 << 40}}
			w.publishByHand()
			w.writeSite(1)
			w.publishByHand()
			h, err := history.Open(t.Context(), filepath.Join(w.dir, ".mirror", history.Name))
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			w.begin()
			w.checkByHand(h)
			w.pass(1 << 40)
			w.checkByHand(h)
			r := &reckoning{t: t, w: w, h: h}
			all := r.readHistory()
			r.compareEpisodes(&numbersRound{})
			r.compareChecks()
			r.compareReport(all[0].Started, time.Now())
		})
	}
}

// begin has faults begin from now on, and returns how many requests there were before.
func (w *numbersWorld) begin() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.faults {
		f.from += w.count
	}
	w.frozen = false
	return w.count
}

// awaitCheck waits for a check that began later.
func (w *numbersWorld) awaitCheck(h *history.Store, since time.Time) {
	w.t.Helper()
	w.await("a check", func() bool {
		last, ok, err := h.LastCheck(w.t.Context())
		return err == nil && ok && last.Started.After(since)
	})
}

// apiList reads a whole list of the API.
func apiList[T any](d *daemonProcess, path string) (all []T) {
	for next := path; next != ""; {
		var page struct {
			Items []T
			Next  string
		}
		text := d.get(next)
		if err := json.Unmarshal(text, &page); err != nil {
			d.w.t.Fatalf("%s: %v: %s", next, err, text)
		}
		all, next = append(all, page.Items...), page.Next
	}
	return all
}
