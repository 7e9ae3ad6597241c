package scheduler

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// doing is a job that does something each time.
func (w *world) doing(name, spec string, do func(ctx context.Context, slot Slot) error) Job {
	job := w.job(name, spec)
	note := job.Do
	job.Do = func(ctx context.Context, slot Slot) error {
		_ = note(ctx, slot)
		return do(ctx, slot)
	}
	return job
}

// lasting takes its time, unless it is told to stop.
func lasting(d time.Duration) func(ctx context.Context, slot Slot) error {
	return func(ctx context.Context, _ Slot) error {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
		return ctx.Err()
	}
}

func TestOutcomes(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		outcome Outcome
		do      func(ctx context.Context, slot Slot) error
		wrong   func(err error) bool
	}{
		{Done, func(context.Context, Slot) error { return nil }, func(err error) bool { return err != nil }},
		{Failed, func(context.Context, Slot) error { return broken }, func(err error) bool { return !errors.Is(err, broken) }},
		{Panicked, func(context.Context, Slot) error { panic("oh no") }, func(err error) bool {
			var p *PanicError
			return !errors.As(err, &p) || p.Value != "oh no" || !strings.Contains(err.Error(), "run_test.go")
		}},
		{Panicked, func(context.Context, Slot) error { runtime.Goexit(); return nil }, func(err error) bool {
			return !strings.Contains(err.Error(), "ended its goroutine")
		}},
		{TimedOut, func(ctx context.Context, _ Slot) error { <-ctx.Done(); return ctx.Err() }, func(err error) bool {
			return !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded)
		}},
		{Done, func(ctx context.Context, _ Slot) error { <-ctx.Done(); return nil }, func(err error) bool { return err != nil }},
	} {
		inWorld(t, "2026-05-01T09:59:00Z", func(t *testing.T, w *world) {
			ledger, job := &Memory{}, w.doing("a", "0 * * * *", c.do)
			job.Timeout = 10 * time.Minute
			p := w.start(Options{Ledger: ledger}, job)
			w.pass("2026-05-01T11:15:00Z")
			w.ranThese("05-01T10:00", "05-01T11:00") // it goes on
			last := p.Status()[0].Last
			if last.Outcome != c.outcome || c.wrong(last.Err) || last.Slot.At != instant(t, "2026-05-01T11:00:00Z") {
				t.Errorf("%s: got %+v", c.outcome, last)
			}
			want := []string{"10:00 " + string(c.outcome), "11:00 " + string(c.outcome)}
			if got := outcomes(ledger, "a"); !slices.Equal(got, want) {
				t.Errorf("%s: recorded %q", c.outcome, got)
			}
			if kinds := w.kinds(); (len(kinds) == 2) != (c.outcome == Panicked) {
				t.Errorf("%s: told of %v", c.outcome, kinds)
			}
			p.end()
		})
	}
}

func TestStopInterruptsWhatRuns(t *testing.T) {
	inWorld(t, "2026-05-01T09:59:00Z", func(t *testing.T, w *world) {
		ledger := &Memory{}
		job := w.doing("a", "0 * * * *", func(ctx context.Context, _ Slot) error {
			<-ctx.Done()
			time.Sleep(2 * time.Second) // cleans up
			return ctx.Err()
		})
		p := w.start(Options{Ledger: ledger}, job)
		w.pass("2026-05-01T10:00:01Z")
		began := time.Now()
		p.end()
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("the stop took %s", took)
		}
		if got := outcomes(ledger, "a"); !slices.Equal(got, []string{"10:00 interrupted"}) {
			t.Errorf("recorded %q", got)
		}
		p = w.start(Options{Ledger: ledger}, w.job("a", "0 * * * *"))
		w.pass("2026-05-01T11:01:00Z")
		w.ranThese("05-01T10:00", "05-01T11:00") // the interrupted slot is not begun again
		p.end()
	})
}

func TestStopLeavesWhatWillNotStop(t *testing.T) {
	inWorld(t, "2026-05-01T09:59:00Z", func(t *testing.T, w *world) {
		ledger, hold := &Memory{}, make(chan struct{})
		p := w.start(Options{Ledger: ledger}, w.doing("deaf", "0 * * * *", func(context.Context, Slot) error {
			<-hold
			return nil
		}), w.job("other", "0 * * * *"))
		w.pass("2026-05-01T10:00:01Z")
		began := time.Now()
		err := p.stop()
		if took := time.Since(began); !errors.Is(err, ErrStuck) || !strings.Contains(err.Error(), "within 5s: deaf") || took != 5*time.Second {
			t.Errorf("after %s: %v", took, err)
		}
		told := len(w.events)
		close(hold) // it ends when nobody listens any more
		synctest.Wait()
		if got := outcomes(ledger, "deaf"); !slices.Equal(got, []string{"10:00 interrupted"}) || len(w.events) != told {
			t.Errorf("recorded %q, and then told of %v", got, w.events[told:])
		}
	})
}

func TestTrigger(t *testing.T) {
	inWorld(t, "2026-05-01T09:59:00Z", func(t *testing.T, w *world) {
		ledger := &Memory{}
		job := w.doing("a", "0 * * * *", lasting(10*time.Second))
		p := w.start(Options{Ledger: ledger}, job)
		result, err := p.Trigger("a")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Trigger("a"); !errors.Is(err, ErrRunning) {
			t.Errorf("asked twice: %v", err)
		}
		if _, err := p.Trigger("b"); !errors.Is(err, ErrUnknown) {
			t.Errorf("asked for what is not there: %v", err)
		}
		synctest.Wait()
		if s := p.Status()[0]; !s.Running || s.Slot.Reason != Triggered || !s.Since.Equal(instant(t, "2026-05-01T09:59:00Z")) {
			t.Errorf("status %+v", s)
		}
		if got := <-result; got.Outcome != Done || got.Took != 10*time.Second || got.Slot.Reason != Triggered {
			t.Errorf("got %+v", got)
		}
		again, err := p.Trigger("a") // the result means that it runs no longer
		if err != nil {
			t.Fatal(err)
		}
		w.pass("2026-05-01T10:00:05Z")
		if got := outcomes(ledger, "a"); !slices.Equal(got, []string{"10:00 "}) {
			t.Errorf("recorded %q", got)
		}
		<-again
		w.pass("2026-05-01T10:20:00Z")
		last, _ := p.Trigger("a")
		synctest.Wait()
		p.end()
		if got := <-last; got.Outcome != Interrupted {
			t.Errorf("got %+v", got)
		}
		if _, err := p.Trigger("a"); !errors.Is(err, ErrStopped) {
			t.Errorf("after the stop: %v", err)
		}
		w.ranThese("05-01T09:59 triggered", "05-01T09:59 triggered", "05-01T10:00", "05-01T10:20 triggered")
	})
}

// TestTriggerAtTheLastMoment is answered though the run never begins.
func TestTriggerAtTheLastMoment(t *testing.T) {
	job := Job{Name: "a", Do: func(context.Context, Slot) error { return nil }}
	r, err := New([]Job{job, {Name: "b", Do: job.Do}}, Options{})
	if err != nil || !r.enter(running, idle) {
		t.Fatal(err)
	}
	stopped, err := r.Trigger("a")
	if err != nil {
		t.Fatal(err)
	}
	removed, err := r.Trigger("b")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Replace([]Job{job}), r.stop(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got := <-stopped; got.Outcome != Interrupted || !errors.Is(got.Err, ErrStopped) {
		t.Errorf("got %+v", got)
	}
	if got := <-removed; got.Outcome != Interrupted || !errors.Is(got.Err, ErrUnknown) {
		t.Errorf("got %+v", got)
	}
}

func TestReplace(t *testing.T) {
	inWorld(t, "2026-05-01T09:59:00Z", func(t *testing.T, w *world) {
		keeps, late := w.job("keeps", "0 * * * *"), w.job("late", "0 * * * *")
		late.Jitter = 59 * time.Minute
		p := w.start(Options{}, keeps, late, w.doing("goes", "0 * * * *", lasting(90*time.Minute)), w.job("changes", "0 * * * *"))
		w.pass("2026-05-01T10:00:01Z")
		due := p.Status()[1].Next
		if got := w.slots(); len(got) != 3 {
			t.Errorf("ran %q before", got)
		}
		if err := p.Replace([]Job{keeps, keeps}); err == nil || len(p.Status()) != 4 {
			t.Errorf("two jobs of one name: %v, %d jobs", err, len(p.Status()))
		}
		if err := p.Replace([]Job{w.job("changes", "30 * * * *"), late, w.job("new", "15 * * * *"), keeps}); err != nil {
			t.Fatal(err)
		}
		status := p.Status()
		if names := []string{status[0].Job, status[1].Job, status[2].Job, status[3].Job, status[4].Job}; !slices.Equal(names, []string{"changes", "late", "new", "keeps", "goes"}) || !status[4].Running {
			t.Errorf("jobs %q", names)
		}
		if !status[1].Next.Equal(due) || !status[3].LastSlot.Equal(instant(t, "2026-05-01T10:00:00Z")) || !status[0].Next.Equal(instant(t, "2026-05-01T10:30:00Z")) || !status[4].Next.IsZero() {
			t.Errorf("status %+v", status)
		}
		w.pass("2026-05-01T10:59:59Z")
		if got := w.slots(); !slices.Contains(got, "05-01T10:00") || !slices.Contains(got, "05-01T10:15") || !slices.Contains(got, "05-01T10:30") || len(got) != 3 {
			t.Errorf("ran %q", got)
		}
		w.pass("2026-05-01T11:31:00Z") // the long run has ended by itself
		if got := p.Status(); len(got) != 4 || slices.Contains(w.kinds(), EventMissed) {
			t.Errorf("%d jobs, told of %v", len(got), w.kinds())
		}
		p.end()
	})
}

func TestReplaceBringsBackWhatStillRuns(t *testing.T) {
	inWorld(t, "2026-05-01T09:59:00Z", func(t *testing.T, w *world) {
		job := w.doing("a", "*/10 * * * *", lasting(35*time.Minute))
		p := w.start(Options{}, job)
		w.pass("2026-05-01T10:01:00Z")
		if err := p.Replace(nil); err != nil {
			t.Fatal(err)
		}
		w.pass("2026-05-01T10:25:00Z")
		if err := p.Replace([]Job{job}); err != nil {
			t.Fatal(err)
		}
		w.pass("2026-05-01T10:41:00Z")
		w.ranThese("05-01T10:00", "05-01T10:40")
		if kinds := w.kinds(); !slices.Equal(kinds, []Kind{EventSkipped}) {
			t.Errorf("told of %v", kinds)
		}
		p.end()
	})
}

func TestOverdue(t *testing.T) {
	inWorld(t, "2026-05-01T09:50:00Z", func(t *testing.T, w *world) {
		ledger, fail := &Memory{}, false
		job := w.doing("a", "0 * * * *", func(ctx context.Context, _ Slot) error {
			if fail {
				<-ctx.Done()
			}
			return ctx.Err()
		})
		job.Timeout = 20 * time.Minute
		p := w.start(Options{Ledger: ledger}, job)
		expect := func(at string, want bool) {
			t.Helper()
			w.pass(at)
			if late := len(p.Overdue(w.now())) > 0; late != want || p.Status()[0].Overdue != want {
				t.Errorf("%s: overdue %t, want %t", at, late, want)
			}
		}
		expect("2026-05-01T09:59:59Z", false)
		expect("2026-05-01T11:30:00Z", false)
		fail = true
		expect("2026-05-01T12:10:00Z", false) // it runs within its time
		expect("2026-05-01T12:25:00Z", true)  // it has not been done
		expect("2026-05-01T13:10:00Z", true)  // and is not done by being tried again
		fail = false
		expect("2026-05-01T14:00:01Z", false)
		p.end()
		if !slices.Equal(p.Overdue(instant(t, "2026-05-01T15:05:01Z")), []string{"a"}) || len(p.Overdue(instant(t, "2026-05-01T15:04:59Z"))) > 0 {
			t.Error("a runner that stands still is not overdue when it ought to be")
		}
		time.Sleep(24 * time.Hour)
		p = w.start(Options{Ledger: ledger}, job) // what was missed is made up for before it is overdue
		if late := p.Overdue(w.now()); len(late) > 0 {
			t.Errorf("overdue at the start: %v", late)
		}
		p.end()
	})
}

// TestOverdueAfterASleep gives a job its time when the machine awakes.
func TestOverdueAfterASleep(t *testing.T) {
	inWorld(t, "2026-05-01T09:50:00Z", func(t *testing.T, w *world) {
		job := w.doing("a", "0 * * * *", lasting(2*time.Minute))
		job.Jitter = 40 * time.Minute
		due := instant(t, "2026-05-01T18:00:00Z").Add(job.delay(instant(t, "2026-05-01T18:00:00Z"), ""))
		if due.Sub(instant(t, "2026-05-01T18:01:00Z")) < 10*time.Minute {
			t.Fatalf("due at %s: too early to show anything", due)
		}
		p := w.start(Options{}, job)
		w.pass("2026-05-01T10:59:00Z")
		w.leap(7*time.Hour + 2*time.Minute)
		for w.pass("2026-05-01T18:02:00Z"); w.now().Before(due.Add(3 * time.Minute)); time.Sleep(time.Minute) {
			synctest.Wait()
			if late := p.Overdue(w.now()); len(late) > 0 {
				t.Fatalf("overdue at %s", w.now())
			}
		}
		w.ranThese("05-01T10:00", "05-01T18:00")
		p.end()
	})
}

func TestNewRefuses(t *testing.T) {
	do := func(context.Context, Slot) error { return nil }
	for _, jobs := range [][]Job{{{Do: do}}, {{Name: "a"}}, {{Name: "a", Do: do}, {Name: "a", Do: do}}} {
		if _, err := New(jobs, Options{}); err == nil {
			t.Errorf("took %+v", jobs)
		}
	}
	r, err := New([]Job{{Name: "never", Do: do}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := r.Run(ctx); err == nil {
		t.Error("ran twice")
	}
}
