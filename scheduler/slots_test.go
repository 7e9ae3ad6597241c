package scheduler

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/longtest"
)

// TestQuartersOfAnHour runs a job every quarter of an hour for two months; with MIRROR_EXPERIMENT=full
// for a year.
func TestQuartersOfAnHour(t *testing.T) {
	longtest.Skip(t, "simulates many days")
	until, slots := "2026-03-01T23:59:59Z", 60*24*4
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		until, slots = "2026-12-31T23:59:59Z", 365*24*4
	}
	inWorld(t, "2025-12-31T23:59:59Z", func(t *testing.T, w *world) {
		p := w.start(Options{}, w.job("check", "*/15 * * * *"))
		w.pass(until)
		p.end()
		seen := map[time.Time]bool{}
		for _, s := range w.ran {
			seen[s.At] = true
		}
		if len(w.ran) != slots || len(seen) != slots {
			t.Errorf("ran %d times, for %d slots, want %d", len(w.ran), len(seen), slots)
		}
		if kinds := w.kinds(); len(kinds) > 0 {
			t.Errorf("told of %v", kinds)
		}
	})
}

// TestClockChangesAndRestarts stops and starts the process every quarter of an hour while the
// clocks change: a daily time is run once on each day that has it.
func TestClockChangesAndRestarts(t *testing.T) {
	longtest.Skip(t, "simulates many days")
	for _, c := range []struct{ name, spec, from, until, want string }{
		{"Berlin, spring", "CRON_TZ=Europe/Berlin 30 2 * * *", "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z", "03-28T01:30 03-30T00:30"},
		{"Berlin, autumn", "CRON_TZ=Europe/Berlin 30 2 * * *", "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z", "10-24T00:30 10-25T00:30 10-26T01:30"},
		{"New York, autumn", "CRON_TZ=America/New_York 30 1 * * *", "2026-10-31T00:00:00Z", "2026-11-03T00:00:00Z", "10-31T05:30 11-01T05:30 11-02T06:30"},
		{"Lord Howe, spring", "CRON_TZ=Australia/Lord_Howe 15 3 * * *", "2026-10-02T12:00:00Z", "2026-10-05T12:00:00Z", "10-02T16:45 10-03T16:15 10-04T16:15"},
		{"Lord Howe, autumn", "CRON_TZ=Australia/Lord_Howe 45 1 * * *", "2026-04-03T12:00:00Z", "2026-04-06T12:00:00Z", "04-03T14:45 04-04T14:45 04-05T15:15"},
		{"leap day", "0 0 29 2 *", "2028-02-28T00:00:00Z", "2028-03-02T00:00:00Z", "02-29T00:00"},
		{"month end", "0 12 31 * *", "2026-03-30T00:00:00Z", "2026-04-02T00:00:00Z", "03-31T12:00"},
		{"year end", "0 0 1 1 *", "2026-12-30T00:00:00Z", "2027-01-03T00:00:00Z", "01-01T00:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, c.from, func(t *testing.T, w *world) {
				ledger, until := &Memory{}, instant(t, c.until)
				for w.now().Before(until) {
					p := w.start(Options{Ledger: ledger}, w.job("daily", c.spec))
					time.Sleep(15*time.Minute - time.Second)
					p.end()
					time.Sleep(time.Second)
				}
				w.ranThese(strings.Fields(c.want)...)
			})
		})
	}
}

func TestMissedSlotsAreCaughtUpOnce(t *testing.T) {
	inWorld(t, "2026-05-01T09:50:00Z", func(t *testing.T, w *world) {
		ledger := &Memory{}
		lenient, strict := w.job("lenient", "*/15 * * * *"), w.job("strict", "0,30 * * * *")
		strict.CatchUp = false
		p := w.start(Options{Ledger: ledger}, lenient, strict)
		if last := p.Status()[0].LastSlot; !last.IsZero() {
			t.Errorf("last slot %s before there was one", last)
		}
		w.pass("2026-05-01T10:05:00Z")
		p.end()
		w.slots()
		time.Sleep(3 * time.Hour)

		p = w.start(Options{Ledger: ledger}, lenient, strict)
		w.ranThese("05-01T13:00 caught up")
		if kinds := w.kinds(); !slices.Equal(kinds, []Kind{EventMissed, EventMissed}) {
			t.Errorf("told of %v", kinds)
		}
		for _, e := range w.events {
			want := map[string]int{"lenient": 11, "strict": 6}[e.Slot.Job] // the first stands for the others, which it runs for
			if e.Kind == EventMissed && e.Slot.Missed != want {
				t.Errorf("%s missed %d slots, want %d", e.Slot.Job, e.Slot.Missed, want)
			}
		}
		w.pass("2026-05-01T13:31:00Z")
		got := w.slots()
		slices.Sort(got)
		if !slices.Equal(got, []string{"05-01T13:15", "05-01T13:30", "05-01T13:30"}) {
			t.Errorf("then ran %q", got)
		}
		p.end()
	})
}

// TestASlotJustMissedIsOnTime restarts across a slot, with no catching up.
func TestASlotJustMissedIsOnTime(t *testing.T) {
	inWorld(t, "2026-05-01T09:50:00Z", func(t *testing.T, w *world) {
		ledger, job := &Memory{}, w.job("a", "0 * * * *")
		job.CatchUp = false
		p := w.start(Options{Ledger: ledger}, job)
		w.pass("2026-05-01T10:59:50Z")
		p.end()
		w.slots()
		time.Sleep(30 * time.Second)
		p = w.start(Options{Ledger: ledger}, job)
		w.ranThese("05-01T11:00")
		p.end()
	})
}

func TestAMachineThatSlept(t *testing.T) {
	inWorld(t, "2026-05-01T09:50:00Z", func(t *testing.T, w *world) {
		p := w.start(Options{}, w.job("a", "*/15 * * * *"))
		w.pass("2026-05-01T10:01:00Z")
		w.slots()
		w.leap(8 * time.Hour)
		time.Sleep(look)
		synctest.Wait()
		w.ranThese("05-01T18:00 caught up")
		if kinds := w.kinds(); !slices.Equal(kinds, []Kind{EventStepped, EventMissed}) {
			t.Errorf("told of %v", kinds)
		}
		at := slices.IndexFunc(w.events, func(e Event) bool { return e.Kind == EventStepped })
		if by := w.events[at].By; by != 8*time.Hour {
			t.Errorf("the clock stepped by %s", by)
		}
		w.pass("2026-05-01T18:16:00Z")
		w.ranThese("05-01T18:15")
		p.end()
	})
}

func TestAClockThatGoesBack(t *testing.T) {
	inWorld(t, "2026-05-01T09:50:00Z", func(t *testing.T, w *world) {
		p := w.start(Options{}, w.job("a", "*/30 * * * *"))
		w.pass("2026-05-01T11:10:00Z")
		w.ranThese("05-01T10:00", "05-01T10:30", "05-01T11:00")
		w.leap(-80 * time.Minute)
		w.pass("2026-05-01T11:31:00Z")
		w.ranThese("05-01T11:30")

		w.leap(4 * 365 * 24 * time.Hour) // set to a wrong year
		w.pass("2030-04-30T11:40:00Z")
		w.ranThese("04-30T11:30 caught up")
		w.leap(-4 * 365 * 24 * time.Hour) // and put right
		w.pass("2026-05-01T12:31:00Z")
		w.ranThese("05-01T12:00", "05-01T12:30")
		if late := p.Overdue(w.now()); len(late) > 0 {
			t.Errorf("overdue: %v", late)
		}
		for _, by := range []time.Duration{4 * 365 * 24 * time.Hour, -4 * 365 * 24 * time.Hour} {
			w.leap(by)
			time.Sleep(look)
			synctest.Wait()
		}
		p.end()
		if late := p.Overdue(w.now().Add(time.Hour)); len(late) == 0 {
			t.Error("a wrong year keeps a runner that stands still from being overdue")
		}
	})
}

func TestSlotsDuringARunAreSkipped(t *testing.T) {
	inWorld(t, "2026-05-01T09:59:00Z", func(t *testing.T, w *world) {
		ledger, slow := &Memory{}, w.job("slow", "*/10 * * * *")
		note := slow.Do
		slow.Do = func(ctx context.Context, slot Slot) error {
			time.Sleep(25 * time.Minute)
			return note(ctx, slot)
		}
		p := w.start(Options{Ledger: ledger}, slow, w.job("quick", "*/10 * * * *"))
		w.pass("2026-05-01T10:56:00Z")
		got := w.slots()
		slices.Sort(got)
		want := []string{"05-01T10:00", "05-01T10:00", "05-01T10:10", "05-01T10:20", "05-01T10:30", "05-01T10:30", "05-01T10:40", "05-01T10:50"}
		if !slices.Equal(got, want) {
			t.Errorf("ran %q, want %q", got, want)
		}
		wantOutcomes := []string{"10:00 done", "10:10 skipped", "10:20 skipped", "10:30 done", "10:40 skipped", "10:50 skipped"}
		if got := outcomes(ledger, "slow"); !slices.Equal(got, wantOutcomes) {
			t.Errorf("recorded %q, want %q", got, wantOutcomes)
		}
		if kinds := w.kinds(); !slices.Equal(kinds, []Kind{EventSkipped, EventSkipped, EventSkipped, EventSkipped}) {
			t.Errorf("told of %v", kinds)
		}
		p.end()
	})
}

// TestTwoRunnersWithOneLedger has a slot run in one of them.
func TestTwoRunnersWithOneLedger(t *testing.T) {
	inWorld(t, "2026-05-01T09:59:00Z", func(t *testing.T, w *world) {
		ledger := &Memory{}
		one, other := w.start(Options{Ledger: ledger}, w.job("a", "0 * * * *")), w.start(Options{Ledger: ledger}, w.job("a", "0 * * * *"))
		w.pass("2026-05-01T12:30:00Z")
		w.ranThese("05-01T10:00", "05-01T11:00", "05-01T12:00")
		if late := append(one.Overdue(w.now()), other.Overdue(w.now())...); len(late) > 0 {
			t.Errorf("overdue: %v", late)
		}
		one.end()
		other.end()
	})
}

func TestJitter(t *testing.T) {
	job := Job{Name: "a", Schedule: schedule(t, "*/15 * * * *"), Jitter: 5 * time.Minute}
	hasty := Job{Name: "a", Schedule: job.Schedule, Jitter: 24 * time.Hour}
	at, seen, longest := instant(t, "2026-05-01T00:00:00Z"), map[time.Duration]bool{}, time.Duration(0)
	for range 1000 {
		delay := job.delay(at, "")
		if delay < 0 || delay >= job.Jitter || delay != job.delay(at, "") {
			t.Fatalf("slot %s is put off by %s", at, delay)
		}
		if d := hasty.delay(at, ""); d >= 15*time.Minute {
			t.Fatalf("slot %s is put off by %s, beyond the next", at, d)
		}
		seen[delay], longest = true, max(longest, delay)
		at = job.Schedule.Next(at)
	}
	if len(seen) < 990 || longest < 270*time.Second {
		t.Errorf("%d delays of 1000 differ, the longest is %s", len(seen), longest)
	}
	if job.delay(at, "a") == job.delay(at, "b") {
		t.Error("two machines run at the same moment")
	}
}

// TestJitterAcrossARestart waits for a slot's delay after a restart, too, and for the slots
// missed before.
func TestJitterAcrossARestart(t *testing.T) {
	inWorld(t, "2026-05-01T07:30:00Z", func(t *testing.T, w *world) {
		job, ledger := w.job("a", "0 * * * *"), &Memory{}
		job.Jitter = 50 * time.Minute
		slot := instant(t, "2026-05-01T12:00:00Z")
		delay := job.delay(slot, "")
		p := w.start(Options{Ledger: ledger}, job)
		w.pass("2026-05-01T08:55:00Z")
		w.ranThese("05-01T08:00")
		p.end()
		time.Sleep(slot.Add(delay / 2).Sub(w.now()))
		p = w.start(Options{Ledger: ledger}, job)
		if next := p.Status()[0].Next; !next.Equal(slot.Add(delay)) {
			t.Errorf("next %s, want %s", next, slot.Add(delay))
		}
		time.Sleep(delay/2 - time.Second)
		synctest.Wait()
		w.ranThese()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.ranThese("05-01T12:00")
		p.end()
	})
}

// forgetful is a ledger that fails.
type forgetful struct{}

var errDisk = errors.New("disk full")

func (forgetful) Last(context.Context, string) (time.Time, bool, error) {
	return time.Time{}, true, errDisk
}
func (forgetful) Begin(context.Context, string, time.Time) (bool, error) { return false, errDisk }
func (forgetful) End(context.Context, string, time.Time, string) error   { return errDisk }

// TestALedgerThatFails does not keep jobs from running, and is told of.
func TestALedgerThatFails(t *testing.T) {
	inWorld(t, "2026-05-01T09:59:00Z", func(t *testing.T, w *world) {
		p := w.start(Options{Ledger: forgetful{}}, w.job("a", "0 * * * *"))
		w.pass("2026-05-01T11:30:00Z")
		p.end()
		w.ranThese("05-01T10:00", "05-01T11:00")
		if kinds := w.kinds(); len(kinds) != 5 || kinds[0] != EventUnrecorded || !errors.Is(w.events[0].Err, errDisk) {
			t.Errorf("told of %v, first %v", kinds, w.events[0])
		}
	})
}

// TestIdleRunnerLooksRarely bounds what waiting costs: one look in half a minute.
func TestIdleRunnerLooksRarely(t *testing.T) {
	inWorld(t, "2026-05-01T09:59:00Z", func(t *testing.T, w *world) {
		var jobs []Job
		for _, name := range []string{"a", "b", "c", "d"} {
			jobs = append(jobs, w.job(name, "0 0 1 1 *"))
		}
		p := w.start(Options{}, jobs...)
		before := w.looks.Load()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if looks := w.looks.Load() - before; looks > 2880+1 {
			t.Errorf("%d looks at the clock in a day", looks)
		}
		p.end()
	})
}

func TestMemoryIsBounded(t *testing.T) {
	m, at := &Memory{}, instant(t, "2026-05-01T00:00:00Z")
	var wait sync.WaitGroup
	for i := range 4 * remembered {
		wait.Go(func() {
			if fresh, err := m.Begin(t.Context(), "a", at.Add(time.Duration(i)*time.Minute)); !fresh || err != nil {
				t.Errorf("slot %d: %v, %v", i, fresh, err)
			}
		})
	}
	wait.Wait()
	if len(m.slots["a"]) != remembered {
		t.Errorf("%d slots are remembered", len(m.slots["a"]))
	}
}
