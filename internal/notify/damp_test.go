package notify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFlappingIsToldOnceAndThenWhenItIsSteady(t *testing.T) {
	for _, c := range []struct {
		name   string
		closes bool
		want   []string
	}{
		{"and recovers", true, []string{"0 opened", "0 closed", "1 flapping", "8 settled"}},
		{"and stays", false, []string{"0 opened", "0 closed", "1 flapping", "8 settled"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &place{}
				r, o := Recipient{Name: "ops", Sender: p}, Options{Ledger: NewMemory(100)}
				n := start(t, r, o)
				var e Event
				var all []Event
				for i := range 9 {
					e = opened(fmt.Sprint(i), "bucket")
					n.Send(e)
					all = append(all, e)
					time.Sleep(2 * time.Minute)
					if i < 8 || c.closes {
						n.Send(closed(e))
						all = append(all, closed(e))
					}
					time.Sleep(3 * time.Minute)
				}
				time.Sleep(10 * time.Minute)
				wantTold(t, p, c.want...)
				messages := p.messages()
				if last := messages[len(messages)-1]; strings.Contains(last.Title, "recovered") != c.closes {
					t.Errorf("at the end it is told %q", last.Title)
				}
				stop(t, n)
				n = start(t, r, o)
				for _, known := range all { // nothing of what was held back is told one by one
					n.Send(known)
				}
				time.Sleep(time.Hour)
				wantTold(t, p, c.want...)
				if !c.closes { // its end is told as that of any other
					n.Send(closed(e))
					c.want = append(c.want, "8 closed")
				}
				stop(t, n)
				wantTold(t, p, c.want...)
			})
		})
	}
}

// TestAnotherKindOfDriftIsToldWhileAnOriginFlaps has a script injected into a page of an origin
// whose pages are stale and fresh by turns.
func TestAnotherKindOfDriftIsToldWhileAnOriginFlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		n := start(t, Recipient{Name: "ops", Sender: p}, Options{Ledger: NewMemory(100)})
		for i := range 3 {
			e := opened(fmt.Sprint(i), "bucket")
			n.Send(e)
			time.Sleep(time.Minute)
			n.Send(closed(e))
			time.Sleep(time.Minute)
		}
		injected := opened("injected", "bucket")
		injected.Counts = map[string]int{"altered": 1}
		n.Send(injected)
		time.Sleep(time.Minute)
		if !slices.Contains(p.told(), "injected opened") {
			t.Errorf("an altered page is not told while the origin flaps: %v", p.told())
		}
		stop(t, n)
	})
}

// flap sends the openings and closings of one origin for a day, each after the wait that
// next returns, and ends closed.
func flap(n *Notifier, next func() time.Duration) (last Event) {
	open := false
	for i, begin := 0, time.Now(); open || time.Since(begin) < 24*time.Hour; {
		if open {
			n.Send(closed(last))
		} else {
			last = opened(fmt.Sprint(i), "bucket")
			n.Send(last)
			i++
		}
		open = !open
		time.Sleep(next())
	}
	return last
}

func TestADayOfFlappingIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	turn := 0
	for _, c := range []struct {
		name string
		next func() time.Duration
		most int // messages in the day
	}{
		{"every minute", func() time.Duration { return time.Minute }, 5},
		{"every ten seconds", func() time.Duration { return 10 * time.Second }, 5},
		{"at random", func() time.Duration { return time.Duration(r.ExpFloat64() * float64(8*time.Minute)) }, 30},
		{"just steady", func() time.Duration { return 10*time.Minute + time.Second }, 30},
		{"short and apart", func() time.Duration {
			turn++
			return []time.Duration{time.Second, 10*time.Minute + time.Second}[turn%2]
		}, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &place{}
				n := start(t, Recipient{Sender: p}, Options{})
				last := flap(n, c.next)
				time.Sleep(2 * time.Hour)
				stop(t, n)
				messages := p.messages()
				t.Logf("%d messages", len(messages))
				if len(messages) > c.most {
					t.Errorf("%d messages, want at most %d", len(messages), c.most)
				}
				if got := busiest(messages); got > 6 {
					t.Errorf("%d messages in one hour, want at most 6", got)
				}
				end := messages[len(messages)-1].News[0]
				if end.Event.Episode != last.Episode || !end.Event.closes() {
					t.Errorf("at the end it is told %s of episode %s, want the end of %s", end.Change, end.Event.Episode, last.Episode)
				}
			})
		})
	}
}

// busiest counts the messages of the hour with the most.
func busiest(messages []Message) int {
	most := 0
	for i := range messages {
		in := 0
		for _, m := range messages[i:] {
			if m.At.Sub(messages[i].At) < time.Hour {
				in++
			}
		}
		most = max(most, in)
	}
	return most
}

// TestEveryStableEpisodeIsToldOnceAtEachEnd goes through random histories: several
// origins, recipients that fail, checks that send again what is known, and restarts. With MIRROR_EXPERIMENT=full there are 500.
func TestEveryStableEpisodeIsToldOnceAtEachEnd(t *testing.T) {
	seeds := uint64(150)
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		seeds = 500
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) { history(t, rand.New(rand.NewPCG(seed, 7))) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// span of a stable episode, and of the time between two: longer than the damping, and
// than the attempts to tell of it may take.
func long(r *rand.Rand) time.Duration {
	return 20*time.Minute + time.Duration(r.Int64N(int64(2*time.Hour)))
}

func history(t *testing.T, r *rand.Rand) {
	p := &place{}
	failing, faults := r.IntN(2) == 0, rand.New(rand.NewPCG(r.Uint64(), 9)) // of the place's own goroutine
	p.fails = func(int) bool { return failing && faults.IntN(3) == 0 }
	options := Options{Ledger: NewMemory(1 << 20)}
	n := start(t, Recipient{Name: "ops", Sender: p}, options)
	var steps []step
	episodes := 0
	for origin := range 1 + r.IntN(4) {
		at := time.Now().Add(long(r))
		for range 1 + r.IntN(6) {
			end := at.Add(long(r))
			e := Event{Kind: Drift, Episode: fmt.Sprint(episodes), Origin: fmt.Sprint("origin", origin), Opened: at}
			steps = append(steps, step{at, e})
			e.Closed = end
			steps = append(steps, step{end, e})
			at = end.Add(long(r))
			episodes++
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	for i, s := range steps {
		time.Sleep(time.Until(s.at))
		n.Send(s.event)
		switch r.IntN(8) {
		case 0: // a check that finds the same
			n.Send(s.event)
		case 1: // a restart, after which all that is known is sent again
			time.Sleep(time.Duration(r.Int64N(int64(time.Minute))))
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.Int64N(int64(10*time.Second))))
			_ = n.Close(ctx) // what is left undone is sent again
			cancel()
			n = start(t, Recipient{Name: "ops", Sender: p}, options)
			for _, known := range steps[:i+1] {
				n.Send(known.event)
			}
		}
	}
	time.Sleep(time.Hour)
	stop(t, n)
	judge(t, p.told(), episodes)
}

// step is an event and when it is sent.
type step struct {
	at    time.Time
	event Event
}

func judge(t *testing.T, told []string, episodes int) {
	for i := range episodes {
		var of []string
		for _, line := range told {
			if episode, change, _ := strings.Cut(line, " "); episode == fmt.Sprint(i) {
				of = append(of, change)
			}
		}
		if !slices.Equal(of, []string{"opened", "closed"}) {
			t.Errorf("episode %d is told as %q", i, of)
		}
	}
	if len(told) != 2*episodes {
		t.Errorf("%d news for %d episodes", len(told), episodes)
	}
}

// TestWorseIsToldAtOnce has few pages become many, and bytes that differ become an injected script,
// in an episode that lasts and in one of many while the origin flaps.
func TestWorseIsToldAtOnce(t *testing.T) {
	many := func(e Event) Event { e.Counts = map[string]int{"altered": 40}; return e }
	more := func(e Event) Event { e.Counts = map[string]int{"altered": 5}; return e }
	injected := func(e Event) Event {
		e.Severity, e.Reason = Critical, "injected: script https://evil.test/x.js"
		return e
	}
	altered := func(episode string) Event {
		e := opened(episode, "bucket")
		e.Counts = map[string]int{"altered": 2}
		return e
	}
	for _, c := range []struct {
		name     string
		becomes  func(Event) Event
		flapping bool
		want     []string
	}{
		{"many pages", many, false, []string{"last opened", "last worse", "last closed"}},
		{"a few more pages", more, false, []string{"last opened", "last closed"}},
		{"injected", injected, false, []string{"last opened", "last worse", "last closed"}},
		{"many pages, flapping", many, true, []string{"first opened", "first closed", "last flapping", "last worse", "last settled"}},
		{"injected, flapping", injected, true, []string{"first opened", "first closed", "last flapping", "last worse", "last settled"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &place{}
				n := start(t, Recipient{Name: "ops", Sender: p}, Options{Ledger: NewMemory(100)})
				if c.flapping {
					e := altered("first")
					n.Send(e)
					time.Sleep(time.Minute)
					n.Send(closed(e))
					time.Sleep(time.Minute)
				}
				e := altered("last")
				for _, now := range []Event{e, e, c.becomes(e), c.becomes(e), e, c.becomes(e)} {
					n.Send(now)
					time.Sleep(time.Minute)
				}
				n.Send(closed(e))
				time.Sleep(time.Hour)
				stop(t, n)
				wantTold(t, p, c.want...)
			})
		})
	}
}
