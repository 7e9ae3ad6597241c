package console

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"
)

// screen keeps what is drawn.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// waitFor polls until what it waits for is true: bars are drawn by a goroutine of their own.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute for %s", what)
		}
	}
}

func drawn(t *testing.T) (*Progress, *screen) {
	t.Helper()
	out := &screen{}
	p := newBars(nil, mpb.WithOutput(out), mpb.WithAutoRefresh(), mpb.WithRefreshRate(time.Millisecond))
	t.Cleanup(p.Close)
	return p, out
}

// shown lists the bars of the present phase.
func (p *Progress) shown() []*mpb.Bar {
	p.mu.Lock()
	defer p.mu.Unlock()
	bars := slices.AppendSeq(slices.Clone(p.others), maps.Values(p.byOrigin))
	if p.hash != nil {
		bars = append(bars, p.hash)
	}
	return bars
}

// ended reports whether none of the bars is drawn any more.
func ended(bars []*mpb.Bar) func() bool {
	return func() bool { return !slices.ContainsFunc(bars, (*mpb.Bar).IsRunning) }
}

// TestBarsEndWithTheirPhase has a stage that sends less than it said, as one that fails or that finds
// equal files does, and a check that ends early.
func TestBarsEndWithTheirPhase(t *testing.T) {
	p, out := drawn(t)
	p.Phase("stage")
	m := p.Staging("镜像")
	m.Expect(10, 1000)
	m.Sent(3, 300)
	waitFor(t, "the bar of a stage", func() bool { return strings.Contains(out.String(), "3 / 10 files") })
	before := p.shown()
	p.Phase("commit")
	waitFor(t, "the end of the stage's bars", ended(before))
	m.Sent(7, 700) // late, and without effect
	p.Checking("bucket", 5, 52)
	waitFor(t, "the bar of a check", func() bool { return strings.Contains(out.String(), "5 / 52 pages") })
	before = p.shown()
	p.Phase("verify")
	waitFor(t, "the end of the check's bars", ended(before))
	p.Close()
	p.Checking("bucket", 6, 52) // after the end there is no bar, and no panic
	if p.Hashing() != nil || len(p.shown()) > 0 {
		t.Error("a closed display has bars")
	}
}

// TestTheBarOfAScanEndsWhenPagesAreChecked: a check has no phases.
func TestTheBarOfAScanEndsWhenPagesAreChecked(t *testing.T) {
	p, _ := drawn(t)
	p.Hashing()(7, 70)
	scan := p.shown()
	p.Checking("bucket", 1, 3)
	waitFor(t, "the end of the scan's bar", ended(scan))
}

// TestBarsShowTheTimeElapsed is true for each kind of bar.
func TestBarsShowTheTimeElapsed(t *testing.T) {
	p, out := drawn(t)
	p.Hashing()(7, 70)
	waitFor(t, "the time of a scan", func() bool { return regexp.MustCompile(`hash .*7 files  \d+`).MatchString(out.String()) })
	p.Phase("watch")
	waitFor(t, "the time of a phase without bars", func() bool { return regexp.MustCompile(`watch +\d+m?\d*s`).MatchString(out.String()) })
	p.Checking("bucket", 1, 3)
	waitFor(t, "the time of a check", func() bool { return regexp.MustCompile(`bucket .*1 / 3 pages  \d+`).MatchString(out.String()) })
}
