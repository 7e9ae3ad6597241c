package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// once is a process that sends all that is known, and ends: what cron runs.
func once(t *testing.T, r Recipient, o Options, known []Event) {
	t.Helper()
	n := start(t, r, o)
	for _, e := range known {
		n.Send(e)
	}
	stop(t, n)
}

// TestDampingOutlivesTheProcess has an origin flap while each check is a process of its own.
func TestDampingOutlivesTheProcess(t *testing.T) {
	for _, c := range []struct {
		name     string
		interval time.Duration
		most     int
	}{
		{"every half second", 500 * time.Millisecond, 3},
		{"every minute", time.Minute, 3},
		{"every 11 minutes", 11 * time.Minute, 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &place{}
				r, o := Recipient{Name: "ops", Sender: p}, Options{Ledger: NewMemory(1000)}
				var known []Event
				for i := range 8 {
					known = append(known, opened(fmt.Sprint(i), "bucket"))
					once(t, r, o, known)
					time.Sleep(c.interval)
					known[i] = closed(known[i])
					once(t, r, o, known)
					time.Sleep(c.interval)
				}
				if got := p.messages(); len(got) > c.most || busiest(got) > 6 {
					t.Errorf("%d messages, at most %d in an hour; want at most %d: %q", len(got), busiest(got), c.most, p.told())
				}
				for range 30 {
					time.Sleep(time.Minute)
					once(t, r, o, known)
				}
				told := p.told()
				if last := told[len(told)-1]; !strings.HasPrefix(last, "7 ") || last == "7 opened" || last == "7 flapping" {
					t.Errorf("the recovery is not told: %q", told)
				}
			})
		})
	}
}

// TestAnotherKindIsToldAcrossProcesses has a page altered while stale pages come and go.
func TestAnotherKindIsToldAcrossProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		r, o := Recipient{Name: "ops", Sender: p}, Options{Ledger: NewMemory(1000)}
		var known []Event
		for i := range 4 {
			known = append(known, opened(fmt.Sprint(i), "bucket"))
			once(t, r, o, known)
			known[i] = closed(known[i])
			once(t, r, o, known)
			time.Sleep(time.Second)
		}
		altered := opened("altered", "bucket")
		altered.Counts = map[string]int{"altered": 1}
		once(t, r, o, append(known, altered))
		if !slices.Contains(p.told(), "altered opened") {
			t.Errorf("an altered page is not told while the origin flaps: %q", p.told())
		}
	})
}

// TestWhatWaitsOutlivesTheProcess has an origin flap at night, each check a process of its own.
func TestWhatWaitsOutlivesTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet, err := ParseQuiet("00:00-07:00")
		if err != nil {
			t.Fatal(err)
		}
		p := &place{}
		r, o := Recipient{Name: "ops", Sender: p, Quiet: quiet}, Options{Ledger: NewMemory(1000)}
		var known []Event
		for i := range 60 { // the clock of a bubble begins at midnight
			known = append(known, opened(fmt.Sprint(i), "bucket"))
			once(t, r, o, known)
			time.Sleep(3 * time.Minute)
			known[i] = closed(known[i])
			once(t, r, o, known)
			time.Sleep(3 * time.Minute)
		}
		if told := p.told(); len(told) > 0 {
			t.Errorf("told at night: %q", told)
		}
		for range 24 {
			time.Sleep(5 * time.Minute)
			once(t, r, o, known)
		}
		if told := p.told(); !slices.Equal(told, []string{"59 settled"}) {
			t.Errorf("in the morning it is told %q", told)
		}
	})
}

// mortal is a ledger of a process that is killed: from a moment on it keeps nothing.
type mortal struct {
	*Memory
	dead atomic.Bool
}

func (m *mortal) Record(ctx context.Context, key string, at time.Time, err error) error {
	if m.dead.Load() {
		return nil
	}
	return m.Memory.Record(ctx, key, at, err)
}

func (m *mortal) Save(ctx context.Context, recipient string, at time.Time, state []byte) error {
	if m.dead.Load() {
		return nil
	}
	return m.Memory.Save(ctx, recipient, at, state)
}

// TestKilledAttemptCounts has each process killed after it sent a message and before it could note
// that: what it sent counts towards the messages of the hour.
func TestKilledAttemptCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, ledger := &place{}, &mortal{Memory: NewMemory(1000)}
		p.fails = func(int) bool { ledger.dead.Store(true); return false }
		r, o := Recipient{Name: "ops", Sender: p}, Options{Ledger: ledger}
		e := opened("0", "bucket")
		for range 20 {
			ledger.dead.Store(false)
			once(t, r, o, []Event{e})
			time.Sleep(time.Minute)
		}
		if got := busiest(p.messages()); got != 6 {
			t.Errorf("%d messages in 20 minutes, want 6: %q", got, p.told())
		}
	})
}
