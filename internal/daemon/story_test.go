package daemon

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/internal/wait"
	"mirror/scheduler"
)

func publishJob(t *testing.T, spec string) Job {
	return Job{Name: "live", Kind: Publish, Schedule: every(t, spec), Build: true}
}

// TestPublishesThatFailAreToldOnce has three publishes fail in a row and then go well.
func TestPublishesThatFailAreToldOnce(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var failing atomic.Bool
		failing.Store(true)
		publishes := func(s *Setup) {
			s.Jobs = []Job{publishJob(t, "@every 10m")}
			s.Work.Publish = func(context.Context, io.Writer) (history.Publish, error) {
				if failing.Load() {
					return history.Publish{Outcome: "rolled_back"}, errors.New("s3: refused")
				}
				return history.Publish{Outcome: "live", Release: "aa"}, nil
			}
		}
		w := newWorld(t, dir, publishes)
		time.Sleep(35 * time.Minute)
		w.tells("opened publish_failed ")
		w.end()
		again := newWorld(t, dir, publishes) // a restart tells nothing twice
		time.Sleep(15 * time.Minute)
		again.tells()
		failing.Store(false)
		time.Sleep(15 * time.Minute)
		again.tells("closed publish_failed ")
		time.Sleep(time.Hour)
		again.tells("closed publish_failed ")
		again.end()
	})
}

// TestPublishThatIsInterrupted is no failure to be told of.
func TestPublishThatIsInterrupted(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		blocked := func(s *Setup) {
			s.Jobs = []Job{publishJob(t, "@every 10m")}
			s.Work.Publish = func(ctx context.Context, _ io.Writer) (history.Publish, error) {
				<-ctx.Done()
				return history.Publish{Outcome: "failed"}, ctx.Err()
			}
		}
		w := newWorld(t, dir, blocked)
		time.Sleep(11 * time.Minute)
		w.end()
		w.tells()
		again := newWorld(t, dir, func(s *Setup) { s.Jobs = nil })
		time.Sleep(11 * time.Minute)
		again.tells()
		if p, ok, err := again.history.LastPublish(t.Context()); err != nil || !ok || p.Outcome != interrupted || p.Job != "live" {
			t.Errorf("remembered %+v, %v, %v", p, ok, err)
		}
		again.end()
	})
}

// TestBuildThatFails publishes nothing, and keeps what the build printed.
func TestBuildThatFails(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, func(s *Setup) {
			s.Jobs = []Job{publishJob(t, "@every 10m")}
			s.Work.Build = func(_ context.Context, log io.Writer) error {
				_, err := io.WriteString(log, "template: no such partial\n")
				return errors.Join(err, errors.New("build (make): exit status 1"))
			}
			s.Work.Publish = func(context.Context, io.Writer) (history.Publish, error) {
				t.Error("a site that was not built is published")
				return history.Publish{}, nil
			}
		})
		time.Sleep(15 * time.Minute)
		runs, err := w.history.Runs(t.Context(), history.RunFilter{Job: "live", Limit: 1})
		if err != nil || len(runs) != 1 {
			t.Fatalf("got %v, %v", runs, err)
		}
		if r := runs[0]; r.Outcome != "failed" || !strings.Contains(r.Log, "no such partial") || !strings.Contains(r.Err, "nothing is published") {
			t.Errorf("got %+v", r)
		}
		w.tells("opened publish_failed ")
		w.end()
	})
}

// TestWindowOverItsLimit is told of once, and only where it surely was too long.
func TestWindowOverItsLimit(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		windows := []diff.Window{
			{Closed: true, Lower: 10 * time.Second, Upper: 50 * time.Second}, // may have been within the limit
			{Closed: true, Lower: 31 * time.Second, Upper: 50 * time.Second},
		}
		w := newWorld(t, dir, func(s *Setup) {
			s.Jobs, s.WindowLimit = []Job{publishJob(t, "@every 10m")}, 30*time.Second
			s.Work.Publish = func(context.Context, io.Writer) (history.Publish, error) {
				p := history.Publish{Outcome: "live"}
				if len(windows) > 0 {
					p.Window, windows = &windows[0], windows[1:]
				}
				return p, nil
			}
		})
		time.Sleep(9 * time.Minute)
		w.tells()
		time.Sleep(time.Hour)
		w.tells("passed window ")
		w.end()
	})
}

// TestCertificateNearItsEnd is told of once for each origin, and so is its renewal.
func TestCertificateNearItsEnd(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, nil)
		w.truth.mu.Lock()
		w.truth.expires = time.Now().Add(nearEnd + time.Hour)
		w.truth.mu.Unlock()
		time.Sleep(59 * time.Minute)
		w.tells()
		time.Sleep(3 * time.Hour)
		w.tells("opened certificate git", "opened certificate s3", "opened certificate registry")
		w.truth.mu.Lock()
		w.truth.expires = time.Now().Add(90 * 24 * time.Hour)
		w.truth.mu.Unlock()
		time.Sleep(3 * time.Hour)
		if got := w.inbox.all()[3:]; !slices.Equal(got, []string{"closed certificate git", "closed certificate s3", "closed certificate registry"}) {
			t.Errorf("got %q", got)
		}
		w.end()
	})
}

// TestChecksThatComeToNoVerdict are overdue, and say nothing of the origins.
func TestChecksThatComeToNoVerdict(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		broken.Store(true)
		w := newWorld(t, dir, func(s *Setup) {
			check := s.Work.Check
			s.Work.Check = func(ctx context.Context, log io.Writer) (diff.Verdict, error) {
				if broken.Load() {
					return diff.Verdict{}, errors.New("the site's folder cannot be read")
				}
				return check(ctx, log)
			}
		})
		if late := w.daemon.Overdue(); len(late) > 0 {
			t.Errorf("overdue from the start: %q", late)
		}
		time.Sleep(20 * time.Minute)
		w.tells("opened overdue ")
		if late := w.daemon.Overdue(); !slices.Equal(late, []string{"look"}) {
			t.Errorf("overdue: %q", late)
		}
		broken.Store(false)
		time.Sleep(20 * time.Minute)
		w.tells("opened overdue ", "closed overdue ")
		checks, err := w.history.ChecksBefore(t.Context(), 0, 0)
		if err != nil || checks[len(checks)-1].Err == "" || len(w.episodes()) > 0 {
			t.Errorf("remembered %v, %v, and %d episodes", checks, err, len(w.episodes()))
		}
		w.end()
	})
}

// TestStop cancels what runs, in time, and notes it as interrupted.
func TestStop(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, func(s *Setup) {
			s.Work.Check = func(ctx context.Context, _ io.Writer) (diff.Verdict, error) {
				<-ctx.Done()
				return diff.Verdict{Release: "aa"}, ctx.Err()
			}
		})
		time.Sleep(90 * time.Second)
		began := time.Now()
		again := w.history
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("stopping took %s", took)
		}
		runs, err := again.Runs(t.Context(), history.RunFilter{Job: "look"})
		cut := slices.IndexFunc(runs, func(r history.Run) bool { return r.Outcome == string(scheduler.Interrupted) })
		if err != nil || cut < 0 || runs[cut].Elapsed != 90*time.Second {
			t.Errorf("remembered %+v, %v", runs, err)
		}
		checks, err := again.ChecksBefore(t.Context(), 0, 0)
		if err != nil || len(checks) > 0 {
			t.Errorf("what was seen of half a check is remembered: %+v, %v", checks, err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestUntoldIsToldAfterARestart stands for a daemon that died between remembering an episode and telling
// of it.
func TestUntoldIsToldAfterARestart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, nil)
		row, differences := history.CheckOf((&truth{origins: []string{"git"}, faults: []fault{{origin: "git", kind: diff.Stale}}}).verdict())
		w.end()
		h, err := history.Open(t.Context(), filepath.Join(dir, history.Name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.RecordCheck(t.Context(), row, differences); err != nil {
			t.Fatal(err)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		w = newWorld(t, dir, func(s *Setup) { s.Jobs = nil })
		time.Sleep(time.Minute)
		w.tells("opened drift git")
		w.end()
		w = newWorld(t, dir, func(s *Setup) { s.Jobs = nil })
		time.Sleep(time.Minute)
		w.tells()
		w.end()
	})
}

// TestReplace puts another setup in place while the daemon runs.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, nil)
		w.truth.set(fault{origin: "git", kind: diff.Stale}, fault{origin: "s3", kind: diff.Missing})
		time.Sleep(5 * time.Minute)
		w.tells("opened drift git", "opened drift s3")
		other := &inbox{}
		next := w.setup
		next.Origins = []string{"git", "registry"}
		next.Recipients = append(slices.Clone(next.Recipients), notify.Recipient{Name: "other", Sender: other})
		next.Jobs = []Job{{Name: "daily", Kind: Report, Schedule: every(t, "@daily")}}
		w.daemon.Refuse(errors.New("a typing error"))
		if err := w.daemon.Replace(next); err != nil || w.daemon.Refused() != nil {
			t.Fatalf("got %v, refused %v", err, w.daemon.Refused())
		}
		time.Sleep(5 * time.Minute)
		w.tells("opened drift git", "opened drift s3", "closed drift s3") // which is no origin any more
		if got := other.all(); !slices.Equal(got, []string{"passed drift s3", "opened drift git"}) {
			t.Errorf("the new recipient was told %q", got)
		}
		if jobs := w.daemon.Status(); len(jobs) != 1 || jobs[0].Job != "daily" {
			t.Errorf("jobs are %+v", jobs)
		}
		next.Recipients = []notify.Recipient{{Name: "bad", URL: "nosuch://"}}
		if err := w.daemon.Replace(next); err == nil || len(w.daemon.Notifications()) != 2 {
			t.Errorf("got %v; %d recipients", err, len(w.daemon.Notifications()))
		}
		w.end()
	})
}

// deaf is a recipient at a wrong address.
type deaf struct{}

func (deaf) Send(context.Context, notify.Message) error { return errors.New("404 Not Found") }

// TestCorrectedRecipient is accepted, and is told what the one at the wrong address was not.
func TestCorrectedRecipient(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, func(s *Setup) { s.Recipients = []notify.Recipient{{Name: "inbox", Sender: deaf{}}} })
		w.truth.set(fault{origin: "git", kind: diff.Stale})
		time.Sleep(5 * time.Minute)
		next := w.setup
		next.Recipients = []notify.Recipient{w.inbox.recipient()}
		if err := w.daemon.Replace(next); err != nil || w.daemon.Refused() != nil {
			t.Errorf("got %v, refused %v", err, w.daemon.Refused())
		}
		time.Sleep(5 * time.Minute)
		w.tells("opened drift git")
		w.end()
	})
}

// TestOneAfterAnother keeps checks out of the middle of a publish.
func TestOneAfterAnother(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var busy atomic.Int32
		alone := func() func() {
			if busy.Add(1) > 1 {
				t.Error("a check in the middle of a publish")
			}
			return func() { busy.Add(-1) }
		}
		var checks, publishes int
		w := newWorld(t, dir, func(s *Setup) {
			s.Jobs = append(s.Jobs, publishJob(t, "@every 5m"))
			s.Work.Publish = func(ctx context.Context, _ io.Writer) (history.Publish, error) {
				defer alone()()
				_ = wait.Sleep(ctx, 90*time.Second)
				publishes++
				return history.Publish{Outcome: "live"}, nil
			}
			check := s.Work.Check
			s.Work.Check = func(ctx context.Context, log io.Writer) (diff.Verdict, error) {
				defer alone()()
				_ = wait.Sleep(ctx, time.Second)
				checks++
				return check(ctx, log)
			}
		})
		time.Sleep(time.Hour)
		w.end()
		if publishes < 11 || checks < 40 {
			t.Errorf("%d publishes and %d checks in an hour", publishes, checks)
		}
	})
}

// TestFirstCheck is at once, whatever the schedule; those after it keep to that.
func TestFirstCheck(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		daily := func(s *Setup) { s.Jobs = []Job{{Name: "look", Kind: Check, Schedule: every(t, "0 9 * * *")}} }
		for range 3 {
			w := newWorld(t, dir, daily)
			time.Sleep(time.Hour)
			checks, err := w.history.ChecksBefore(t.Context(), 0, 0)
			if err != nil || len(checks) != 1 {
				t.Errorf("%d checks, %v; want the first alone", len(checks), err)
			}
			w.end()
		}
	})
}

// TestReportPeriod is from the slot before, and those that were missed.
func TestReportPeriod(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var spans []time.Duration
		w := newWorld(t, dir, func(s *Setup) {
			s.Jobs = []Job{{Name: "daily", Kind: Report, Schedule: every(t, "0 9 * * *")}}
			s.Work.Report = func(_ context.Context, _ string, since, until time.Time, _ io.Writer) error {
				spans = append(spans, until.Sub(since))
				return nil
			}
		})
		time.Sleep(49 * time.Hour)
		w.end()
		if want := []time.Duration{24 * time.Hour, 24 * time.Hour}; !slices.Equal(spans, want) {
			t.Errorf("got %v, want %v", spans, want)
		}
	})
}

// TestOnce runs each check once and tells before it returns.
func TestOnce(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, nil)
		w.end()
		h, err := history.Open(t.Context(), dir+"/"+history.Name)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		w.truth.set(fault{origin: "git", kind: diff.Stale})
		d, err := New(w.setup, Options{History: h})
		if err != nil {
			t.Fatal(err)
		}
		verdicts, err := d.Once(t.Context())
		if err != nil || len(verdicts) != 1 || !verdicts[0].Drifted() {
			t.Errorf("got %+v, %v", verdicts, err)
		}
		w.tells("opened drift git")
	})
}

// TestOnceManyTimes has an origin drift at every other check, each check a process of its own, as cron
// runs it.
func TestOnceManyTimes(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, nil)
		w.end()
		run := func(faults ...fault) {
			w.truth.set(faults...)
			h, err := history.Open(t.Context(), dir+"/"+history.Name)
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			d, err := New(w.setup, Options{History: h})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Once(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(500 * time.Millisecond)
		}
		for range 8 {
			run(fault{origin: "git", kind: diff.Stale})
			run()
		}
		w.tells("opened drift git", "closed drift git", "flapping drift git")
		run(fault{origin: "git", kind: diff.Altered})
		w.tells("opened drift git", "closed drift git", "flapping drift git", "opened drift git")
		time.Sleep(10 * time.Minute)
		run()
		w.tells("opened drift git", "closed drift git", "flapping drift git", "opened drift git", "settled drift git", "closed drift git")
	})
}

// TestAlarmsOutliveTheProcess has a certificate renewed, and a check done again, after a restart.
func TestAlarmsOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		setup := func(s *Setup) {
			check := s.Work.Check
			s.Work.Check = func(ctx context.Context, log io.Writer) (diff.Verdict, error) {
				if broken.Load() {
					return diff.Verdict{}, errors.New("the site's folder cannot be read")
				}
				return check(ctx, log)
			}
		}
		w := newWorld(t, dir, setup)
		w.truth.mu.Lock()
		w.truth.expires, w.truth.origins = time.Now().Add(24*time.Hour), []string{"git"}
		w.truth.mu.Unlock()
		time.Sleep(5 * time.Minute)
		broken.Store(true)
		time.Sleep(20 * time.Minute)
		w.tells("opened certificate git", "opened overdue ")
		w.end()
		w = newWorld(t, dir, setup)
		w.truth.mu.Lock()
		w.truth.origins = []string{"git"}
		w.truth.mu.Unlock()
		time.Sleep(20 * time.Minute)
		w.tells()
		broken.Store(false)
		time.Sleep(5 * time.Minute)
		w.tells("closed overdue ") // no certificate is known
		w.truth.mu.Lock()
		w.truth.expires = time.Now().Add(90 * 24 * time.Hour)
		w.truth.mu.Unlock()
		time.Sleep(5 * time.Minute)
		w.tells("closed overdue ", "closed certificate git")
		w.end()
	})
}

// TestFlappingOutlivesAReload has the config read again while an origin flaps.
func TestFlappingOutlivesAReload(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, nil)
		time.Sleep(time.Second)
		for range 3 {
			w.truth.set(fault{origin: "git", kind: diff.Stale})
			time.Sleep(time.Minute)
			w.truth.set()
			time.Sleep(time.Minute)
		}
		other := &inbox{}
		next := w.setup
		next.Recipients = append(slices.Clone(next.Recipients), notify.Recipient{Name: "other", Sender: other})
		if err := w.daemon.Replace(next); err != nil {
			t.Error(err)
		}
		w.truth.set(fault{origin: "git", kind: diff.Stale})
		time.Sleep(time.Minute)
		w.truth.set()
		time.Sleep(8 * time.Minute)
		w.tells("opened drift git", "closed drift git", "flapping drift git")
		time.Sleep(8 * time.Minute)
		w.tells("opened drift git", "closed drift git", "flapping drift git", "settled drift git")
		w.end()
	})
}

// TestTitlesOfAlerts says for each kind of event what happened, and to which origin.
func TestTitlesOfAlerts(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		outcomes := []history.Publish{{Outcome: "failed"}, {Outcome: "live", Release: "aa"}, {Outcome: "diverged"}, {Outcome: "live", Release: "bb", Window: &diff.Window{
			Closed: true, Lower: 31 * time.Second, Upper: 50 * time.Second,
			Origins: []diff.OriginWindow{{Name: "git", AllNew: diff.Bounds{Before: began.Add(50 * time.Second)}}, {Name: "s3", AllNew: diff.Bounds{Before: began}}},
		}}}
		w := newWorld(t, dir, func(s *Setup) {
			s.Jobs, s.WindowLimit = append(s.Jobs, publishJob(t, "@every 17m")), 30*time.Second
			s.Work.Publish = func(context.Context, io.Writer) (history.Publish, error) {
				if len(outcomes) == 0 {
					return history.Publish{Outcome: "live"}, nil
				}
				p := outcomes[0]
				if outcomes = outcomes[1:]; p.Outcome != "live" {
					return p, errors.New("s3: 403 Forbidden\nmore of it")
				}
				return p, nil
			}
		})
		time.Sleep(5 * time.Minute)
		w.truth.set(fault{origin: "git", kind: diff.Altered}, fault{origin: "s3", kind: diff.Unreachable})
		time.Sleep(3 * time.Minute)
		w.truth.set()
		time.Sleep(5 * time.Minute)
		w.truth.mu.Lock()
		w.truth.origins, w.truth.expires = []string{"git"}, time.Date(2000, 1, 10, 8, 0, 0, 0, time.UTC)
		w.truth.mu.Unlock()
		time.Sleep(60 * time.Minute)
		w.end()
		w.inbox.mu.Lock()
		defer w.inbox.mu.Unlock()
		got := strings.Join(w.inbox.titles, "\n")
		for _, want := range []string{
			"s3 is unreachable: connection refused; 1 more problem: git", "git and s3 recovered", "git: the certificate expires on 2000-01-10 08:00 UTC",
			"mirror: publish failed: no origin was changed: s3: 403 Forbidden", "mirror: publishes succeed again: release aa is live everywhere",
			"mirror: publish was committed, and not every origin serves it: s3: 403 Forbidden",
			"mirror recovered from 2 problems",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("no title says %q", want)
			}
		}
		if t.Failed() {
			t.Logf("the titles are\n%s", got)
		}
	})
}
