package labagents_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/lab"
	"mirror/internal/lab/edge"
	"mirror/internal/labagents"
	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/vantage/windows"
	"mirror/internal/workspace"
	"mirror/site"
	"mirror/targets/kinds"
)

// skewed is the clocks of a machine that is set apart, and whose rate is wrong.
type skewed struct {
	began  time.Time
	offset time.Duration
	drift  float64
}

// At is the reading of the monotonic clock.
func (c skewed) At(instant time.Time) time.Duration {
	return c.offset + time.Duration(float64(instant.Sub(c.began))*(1+c.drift))
}

// Boot is the reading of the boot-time clock.
func (c skewed) Boot() time.Duration { return c.At(time.Now()) + 7*time.Hour }

// windowWorld publishes to a lab with agents whose clocks are set apart.
type windowWorld struct {
	t      *testing.T
	random *rand.Rand
	lab    *lab.Lab
	agents *labagents.Agents
	dir    string
	files  map[string]string
	space  *workspace.Workspace
}

func newWindowWorld(t *testing.T, agents int, seed uint64) *windowWorld {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	w := &windowWorld{t: t, random: rand.New(rand.NewPCG(seed, 14)), dir: t.TempDir(), files: map[string]string{"404.html": "<h1>not here</h1>", "same.html": "<p>same"}}
	var err error
	if w.lab, err = lab.Start(t.Context(), lab.Options{ContentType: site.ContentType}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.lab.Close() })
	clocks := func(string) windows.Clock {
		return skewed{time.Now(), time.Duration((w.random.Float64()*2 - 1) * float64(time.Hour)), (w.random.Float64()*2 - 1) * 190e-6}
	}
	if w.agents, err = labagents.StartWithClocks(t.Context(), w.lab, w.dir, agents, quiet, clocks); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.agents.Close() })
	w.lab.Agents = w.agents.Listen
	config, _, err := w.lab.WriteConfig(w.dir, "mirror.yaml", w.public())
	if err != nil {
		t.Fatal(err)
	}
	w.space, err = workspace.Open(workspace.Options{
		ConfigFile: config, Kinds: kinds.All(), Events: workspace.NewLines(io.Discard), Warnings: &workspace.Warnings{}, Getenv: w.lab.Getenv(func(string) string { return "" }),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.space.Close() })
	places, hub, err := w.space.OpenPlaces(t.Context(), true, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Close() })
	w.space.LookFrom(places)
	return w
}

func (w *windowWorld) public() string { return filepath.Join(w.dir, "public") }

// windowPages are how many pages each edition changes.
const windowPages = 6

// write writes an edition of the site, and returns the pages that change.
func (w *windowWorld) write(edition int) (changed []string) {
	w.t.Helper()
	for i := range windowPages {
		path := fmt.Sprintf("p%d.html", i)
		w.files[path] = fmt.Sprintf("<p>%d of edition %d", i, edition)
		changed = append(changed, path)
	}
	for path, text := range w.files {
		name := filepath.Join(w.public(), path)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
	return changed
}

// run publishes from the places, and waits until the lab has settled.
func (w *windowWorld) run() *publish.Report {
	w.t.Helper()
	report, err := w.space.Publish(w.t.Context(), workspace.PublishOptions{})
	if err != nil || report.Outcome != publish.Live {
		w.t.Fatalf("publish: %+v, %v", report, err)
	}
	if err := w.lab.Settle(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return report
}

// stick has the cache of one place keep what it has for a while after the publish has begun, and returns when
// it followed again, which is known when it ends.
func (w *windowWorld) stick(for_ time.Duration) (released func() edge.Instant) {
	place := w.agents.Places[w.random.IntN(len(w.agents.Places))]
	place.Stick(true)
	var at edge.Instant
	var done sync.WaitGroup
	done.Go(func() {
		select {
		case <-w.t.Context().Done():
		case <-time.After(for_):
		}
		at.Before = time.Now()
		place.Stick(false)
		at.After = time.Now()
	})
	return func() edge.Instant { done.Wait(); return at }
}

// windowTally is what an experiment found.
type windowTally struct {
	Publish int
	Misses  []string      `json:",omitzero"`
	Width   time.Duration // from the lower to the upper bound
	Here    time.Duration // the same as seen from this machine alone
	Offset  time.Duration // how much a clock was not known at most
}

// publishOnce publishes an edition and compares the window with the truth.
func (w *windowWorld) publishOnce(edition int) windowTally {
	ms := func(n int) time.Duration {
		return time.Duration(w.random.Float64() * float64(n) * float64(time.Millisecond))
	}
	for _, o := range w.lab.Origins() {
		o.SetLag(ms(60), ms(20))
		o.SetTrickle(ms(3), nil)
	}
	changed := w.write(edition)
	released := func() edge.Instant { return edge.Instant{} }
	if w.random.IntN(2) == 0 {
		released = w.stick(200*time.Millisecond + ms(600))
	}
	began := time.Now()
	report := w.run()
	kept := released()
	tally := windowTally{Publish: edition}
	miss := func(format string, args ...any) { tally.Misses = append(tally.Misses, fmt.Sprintf(format, args...)) }
	win := report.Window
	if win == nil || !win.Closed || len(win.Places) != len(w.agents.Places)+1 {
		w.t.Fatalf("publish %d: got %+v, want a closed window from %d places", edition, win, len(w.agents.Places)+1)
	}
	var all edge.Turns
	for i, o := range win.Origins {
		turns := w.turns(w.lab.Origins(), o.Name, changed, began)
		all = append(all, turns...)
		if i == 0 && len(turns) == 0 {
			w.t.Fatalf("publish %d: %s did not switch", edition, o.Name)
		}
		if out(o.FirstNew, turns.First()) {
			miss("%s first new %+v, in truth %+v", o.Name, o.FirstNew, turns.First())
		}
		if last := append(turns, edge.Turn{At: kept}).Last(); out(o.AllNew, edge.Instant{Before: turns.Last().Before, After: last.After}) {
			miss("%s all new %+v, in truth %+v", o.Name, o.AllNew, last)
		}
	}
	first, last := all.First(), append(all, edge.Turn{At: kept}).Last()
	if least, most := last.Before.Sub(first.After), last.After.Sub(first.Before); most < win.Lower || least > win.Upper {
		miss("the window lasted [%s, %s], reported as [%s, %s]", least, most, win.Lower, win.Upper)
	}
	w.widths(&tally, win)
	for _, p := range win.Places {
		if strings.Contains(p.Missing, "clock") { // else this machine is too busy for the agent to be ready in time
			miss("%s is missing: %s", p.Place, p.Missing)
		}
	}
	return tally
}

// widths compares the width with the gaps of the single places.
func (w *windowWorld) widths(tally *windowTally, win *diff.Window) {
	var first, all time.Duration
	for _, p := range win.Places {
		tally.Offset = max(tally.Offset, p.Offset)
		for _, o := range p.Origins {
			first, all = max(first, o.FirstNew.Before.Sub(o.FirstNew.After)), max(all, o.AllNew.Before.Sub(o.AllNew.After))
		}
	}
	tally.Width, tally.Here = win.Upper-win.Lower, win.Places[0].Upper-win.Places[0].Lower
	if tally.Width > first+all {
		tally.Misses = append(tally.Misses, fmt.Sprintf("the bounds are %s apart, those of single places at most %s", tally.Width, first+all))
	}
}

// turns are those of an origin to the edition.
func (w *windowWorld) turns(origins []*edge.Origin, name string, paths []string, began time.Time) (turns edge.Turns) {
	for _, o := range origins {
		if o.Name != name {
			continue
		}
		for _, turn := range o.Turned(paths...).Since(began) {
			if turn.New == sha256.Sum256([]byte(w.files[turn.Path])) {
				turns = append(turns, turn)
			}
		}
	}
	return turns
}

// out reports whether an instant lies outside of its bounds.
func out(b diff.Bounds, at edge.Instant) bool {
	return at.After.Before(b.After) || b.Before.Before(at.Before)
}

// TestWindowFromPlacesHoldsTheTruth publishes to the lab while agents watch whose clocks are up to an hour apart and
// drift, with caches of single places that stay old for a while. The window must hold what the lab recorded.
func TestWindowFromPlacesHoldsTheTruth(t *testing.T) {
	longtest.Skip(t, "publishes several times")
	t.Parallel()
	agents, publishes, seed := 3, 2, uint64(1)
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		agents, publishes = 8, 200
	}
	if text := os.Getenv("MIRROR_SEED"); text != "" {
		number, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = number
	}
	results := os.Getenv("MIRROR_RESULTS")
	done := earlierTallies(t, results)
	w := newWindowWorld(t, agents, seed+uint64(len(done)))
	w.write(0)
	w.run()
	for i := len(done); i < publishes; i++ {
		tally := w.publishOnce(i + 1)
		done = append(done, tally)
		for _, m := range tally.Misses {
			t.Errorf("publish %d: %s", tally.Publish, m)
		}
		keepTally(t, results, tally)
	}
	summarize(t, done)
}

// earlierTallies reads what an interrupted experiment has found.
func earlierTallies(t *testing.T, file string) (done []windowTally) {
	if file == "" {
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil // it is new
	}
	defer f.Close()
	for lines := json.NewDecoder(f); lines.More(); {
		var one windowTally
		if err := lines.Decode(&one); err != nil {
			t.Fatal(err)
		}
		for _, m := range one.Misses {
			t.Errorf("publish %d, earlier: %s", one.Publish, m)
		}
		done = append(done, one)
	}
	return done
}

func keepTally(t *testing.T, file string, tally windowTally) {
	if file == "" {
		return
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := json.NewEncoder(f).Encode(tally); err != nil {
		t.Fatal(err)
	}
}

func summarize(t *testing.T, done []windowTally) {
	figures := map[string]func(windowTally) time.Duration{
		"between the bounds, from all places":   func(w windowTally) time.Duration { return w.Width },
		"between the bounds, from this machine": func(w windowTally) time.Duration { return w.Here },
		"how much a clock was not known":        func(w windowTally) time.Duration { return w.Offset },
	}
	for _, name := range slices.Sorted(maps.Keys(figures)) {
		var all []time.Duration
		for _, one := range done {
			all = append(all, figures[name](one))
		}
		slices.Sort(all)
		if n := len(all); n > 0 {
			t.Logf("%d publishes, %s: median %s, 95 %% %s, most %s", n, name, all[n/2], all[n*95/100], all[n-1])
		}
	}
}
