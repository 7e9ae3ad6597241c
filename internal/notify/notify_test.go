package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnEpisodeIsToldWhenItOpensAndWhenItCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		n := start(t, Recipient{Sender: p}, Options{})
		e := opened("1", "bucket")
		for range 20 { // every check sends it again
			n.Send(e)
			time.Sleep(time.Minute)
		}
		for range 3 {
			n.Send(closed(e))
			time.Sleep(time.Minute)
		}
		n.Send(e) // from a check that began before
		stop(t, n)
		wantTold(t, p, "1 opened", "1 closed")
		if got := p.messages()[1].Title; got != "bucket recovered after 20 m: 3 pages were stale" {
			t.Errorf("the end is told as %q", got)
		}
	})
}

func TestEventsThatComeTogetherAreOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		n := start(t, Recipient{Sender: p}, Options{})
		n.Send(opened("1", "bucket"))
		time.Sleep(9 * time.Second)
		n.Send(opened("2", "pages"))
		time.Sleep(2 * time.Second)
		if got := p.messages(); len(got) != 1 || got[0].Title != "bucket and pages do not serve the release" {
			t.Errorf("got %v", got)
		}
		stop(t, n)
	})
}

func TestWhatOpensAndClosesUntoldIsOneSentence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{fails: func(int) bool { return time.Now().Minute() < 20 }}
		n := start(t, Recipient{Sender: p}, Options{})
		e := opened("1", "bucket")
		n.Send(e)
		time.Sleep(5 * time.Minute)
		n.Send(closed(e))
		time.Sleep(time.Hour)
		stop(t, n)
		wantTold(t, p, "1 passed")
		if got, want := p.messages()[0].Title, "bucket recovered after 5 m: 3 pages were stale"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestOrderIsKeptOverFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{fails: func(attempt int) bool { return attempt%3 != 0 }}
		n := start(t, Recipient{Sender: p}, Options{})
		var want []string
		for i := range 5 {
			e := opened(fmt.Sprint(i), fmt.Sprint("origin", i))
			n.Send(e)
			time.Sleep(time.Hour)
			n.Send(closed(e))
			time.Sleep(time.Hour)
			want = append(want, fmt.Sprint(i, " opened"), fmt.Sprint(i, " closed"))
		}
		stop(t, n)
		wantTold(t, p, want...)
	})
}

func TestARecipientGetsWhatItWants(t *testing.T) {
	for _, c := range []struct {
		on   string
		want []string
	}{
		{"", []string{"1 opened", "2 opened", "1 closed", "2 closed"}},
		{"drift", []string{"1 opened"}},
		{"drift recovered", []string{"1 opened", "1 closed"}},
		{"recovered", []string{"1 passed", "2 passed"}},
		{"window", nil},
	} {
		t.Run(c.on, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &place{}
				r := Recipient{Sender: p}
				for kind := range strings.FieldsSeq(c.on) {
					r.On = append(r.On, Kind(kind))
				}
				n := start(t, r, Options{})
				drift := opened("1", "bucket")
				down := Event{Kind: Unreachable, Episode: "2", Origin: "pages"}
				n.Send(drift)
				n.Send(down)
				time.Sleep(time.Hour)
				n.Send(closed(drift))
				n.Send(closed(down))
				time.Sleep(time.Hour)
				stop(t, n)
				wantTold(t, p, c.want...)
			})
		})
	}
}

func TestARestartTellsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, ledger := &place{}, NewMemory(100)
		a, b, c := opened("a", "bucket"), opened("b", "pages"), opened("c", "image")
		n := start(t, Recipient{Sender: p, Name: "ops"}, Options{Ledger: ledger})
		n.Send(a)
		n.Send(b)
		time.Sleep(time.Hour)
		n.Send(closed(a))
		stop(t, n)
		for range 3 {
			n = start(t, Recipient{Sender: p, Name: "ops"}, Options{Ledger: ledger})
			for _, e := range []Event{a, closed(a), b, c, closed(c)} {
				n.Send(e)
			}
			stop(t, n)
		}
		n = start(t, Recipient{Sender: p, Name: "ops"}, Options{Ledger: ledger})
		n.Send(closed(b))
		stop(t, n)
		wantTold(t, p, "a opened", "b opened", "a closed", "c passed", "b closed")
	})
}

func TestAFullQueueDropsTheOldestAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		p := &place{fails: func(int) bool { return time.Now().Hour() < 3 }}
		n := start(t, Recipient{Sender: p, Name: "ops"}, Options{Queue: 10, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		for i := range 1000 {
			n.Send(opened(fmt.Sprint(i), fmt.Sprint("origin", i)))
			if i%100 == 0 {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(4 * time.Hour)
		stop(t, n)
		told := p.told()
		if len(told) != 10 || told[0] != "990 opened" || told[9] != "999 opened" {
			t.Errorf("told %q, want the last ten", told)
		}
		if got := n.Stats()[0]; got.Dropped != 990 || got.Delivered != 1 || got.Waiting != 0 {
			t.Errorf("counted %+v", got)
		}
		if !strings.Contains(log.String(), "dropped=") {
			t.Error("the log does not say that anything was dropped")
		}
	})
}

// stuck never answers.
type stuck struct{}

func (stuck) Send(ctx context.Context, _ Message) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestOneThatHangsHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		n, err := New([]Recipient{{Name: "stuck", Sender: stuck{}}, {Name: "ops", Sender: p}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		n.Start()
		before := time.Now()
		for i := range 1000 {
			n.Send(opened(fmt.Sprint(i), "bucket"))
		}
		if took := time.Since(before); took != 0 {
			t.Errorf("Send waited %s", took)
		}
		time.Sleep(11 * time.Second)
		if len(p.messages()) != 1 {
			t.Errorf("the other got %d messages, want 1", len(p.messages()))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		before = time.Now()
		err = n.Close(ctx)
		if err == nil || !strings.Contains(err.Error(), "notify stuck:") || strings.Contains(err.Error(), "ops") {
			t.Errorf("Close says %v", err)
		}
		if took := time.Since(before); took > time.Minute {
			t.Errorf("Close took %s", took)
		}
		n.Send(opened("late", "bucket"))
	})
}

func TestCloseTellsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{fails: func(attempt int) bool { return attempt < 4 }}
		n := start(t, Recipient{Sender: p}, Options{})
		n.Send(opened("1", "bucket"))
		before := time.Now()
		stop(t, n)
		wantTold(t, p, "1 opened")
		if took := time.Since(before); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestRetriesBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{fails: func(int) bool { return true }}
		n := start(t, Recipient{Sender: p, Name: "ops"}, Options{})
		n.Send(opened("1", "bucket"))
		time.Sleep(24 * time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := n.Close(ctx); err == nil {
			t.Error("Close does not say what it left undone")
		}
		if p.tried < 100 || p.tried > 350 {
			t.Errorf("%d attempts in a day", p.tried)
		}
	})
}

// broken is a ledger that cannot be read or written.
type broken struct{}

func (broken) Sent(context.Context, string) (bool, error) { return false, errors.New("disk I/O error") }
func (broken) Record(context.Context, string, time.Time, error) error {
	return errors.New("disk I/O error")
}

func (broken) Load(context.Context, string) ([]byte, time.Time, error) {
	return nil, time.Time{}, errors.New("disk full")
}

func (broken) Save(context.Context, string, time.Time, []byte) error { return errors.New("disk full") }

func TestWithoutALedgerAlertsStillArriveOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		n := start(t, Recipient{Sender: p}, Options{Ledger: broken{}})
		e := opened("1", "bucket")
		for range 5 {
			n.Send(e)
			time.Sleep(time.Hour)
		}
		n.Send(closed(e))
		stop(t, n)
		wantTold(t, p, "1 opened", "1 closed")
	})
}

func TestRecipientsGetNamesOfTheirOwn(t *testing.T) {
	var got []string
	for _, r := range named([]Recipient{{URL: "ntfy://ntfy.sh/a"}, {URL: "ntfy://ntfy.sh/b"}, {Name: "ntfy-2"},
		{URL: "https://hooks.example.com/secret"}}) {
		got = append(got, r.Name)
	}
	if want := "ntfy ntfy-3 ntfy-2 hooks.example.com"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
