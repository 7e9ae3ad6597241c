package windows

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/vantage"
	"mirror/internal/watch"
	"mirror/site"
)

// scriptedBus has agents that answer by a function after a delay on the way there and on the way back.
type scriptedBus struct {
	delay  time.Duration
	answer func(ask Ask) (Report, bool)
	all    sync.WaitGroup
	to     chan Heard
}

func (b *scriptedBus) Agents(context.Context) ([]vantage.Agent, error) { return nil, nil }

func (b *scriptedBus) Reports(context.Context, string) (<-chan Heard, error) { return b.to, nil }

func (b *scriptedBus) Ask(ask Ask) error {
	b.all.Go(func() {
		time.Sleep(b.delay)
		r, ok := b.answer(ask)
		time.Sleep(b.delay)
		if ok {
			select {
			case b.to <- Heard{r, time.Now()}:
			default:
			}
		}
	})
	return nil
}

// began is where the clocks of scripted agents begin.
const farApart = 50 * time.Minute

func edgeOf(after, before time.Duration) Edge {
	after, before = after+farApart, before+farApart
	return Edge{After: &after, Before: &before}
}

func agentsAt(places ...string) (all []vantage.Agent) {
	for _, place := range places {
		all = append(all, vantage.Agent{Place: place, Heard: time.Now(), Hello: vantage.Hello{Oldest: 1, Newest: vantage.Protocol}})
	}
	return all
}

func watchOptions() watch.Options {
	return watch.Options{Changes: []diff.Change{{Path: "a.html", New: site.Digest{1}}}}
}

// TestPlacesThatCannotBeJoinedAreNamed has agents that do what no agent should. Each is named with the reason, and
// what the good one saw is joined.
func TestPlacesThatCannotBeJoinedAreNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		zero := time.Now()
		bus := &scriptedBus{delay: time.Millisecond, to: make(chan Heard, 1000)}
		bus.answer = func(ask Ask) (Report, bool) {
			at := time.Since(zero)
			r := Report{Kind: KindReport, Place: ask.Place, Watch: ask.Watch, Number: ask.Number, Read: farApart + at, Boot: time.Hour + at, Began: true, Full: true}
			r.Origins = []Seen{{Live: true, Settled: true, Pages: 1, FirstNew: edgeOf(2*time.Second, 2100*time.Millisecond), AllNew: edgeOf(2*time.Second, 2100*time.Millisecond)}}
			switch late := at > 1500*time.Millisecond; ask.Place {
			case "asleep":
				if late {
					r.Boot += time.Minute
				}
			case "jumps":
				if late {
					r.Read, r.Boot = r.Read+time.Second, r.Boot+time.Second
				}
			case "early":
				r.Origins[0].FirstNew = edgeOf(-time.Second, 0)
			case "silent":
				return r, !late
			case "never":
				return r, false
			case "again":
				if late {
					r.Refused = "its agent was started again during the watch"
				}
			case "fewer":
				if late {
					r.Origins = make([]Seen, 2)
				}
			case "page":
				r.Origins[0].Open = []int{7}
			}
			return r, true
		}
		want := map[string]string{
			"good": "", "asleep": "suspended", "jumps": "contradict", "early": "before the watch began", "silent": "fell silent", "never": "did not answer",
			"again": "started again", "fewer": "2 origins", "page": "does not change", "old": "versions 1 to 1", "unheard": "not been heard of",
		}
		var places []string
		for place := range want {
			places = append(places, place)
		}
		agents := agentsAt(places...)
		for i := range agents {
			switch agents[i].Place {
			case "old":
				agents[i].Hello.Newest = 1
			case "unheard":
				agents[i].Heard = time.Time{}
			}
		}
		p := &Places{Bus: bus, NewID: rand.Text}
		s, err := p.Begin(t.Context(), agents, []vantage.Origin{{Name: "web", URL: "https://web.example/"}}, watchOptions(), BeginOptions{Baseline: true})
		if err != nil {
			t.Fatal(err)
		}
		ready, done := context.WithTimeout(t.Context(), time.Second)
		s.Ready(ready)
		done()
		began := time.Now()
		time.Sleep(20 * time.Second)
		got := s.Finish(t.Context(), began)
		s.Close()
		bus.all.Wait()
		for _, p := range got {
			if w := want[p.Place]; (w == "") != (p.Missing == "") || !strings.Contains(p.Missing, w) {
				t.Errorf("%s: got %q, want it to say %q", p.Place, p.Missing, w)
			}
			if p.Place != "good" || p.Missing != "" {
				continue
			}
			first := p.Origins[0].FirstNew
			after, before := first.After.Sub(zero), first.Before.Sub(zero)
			if after > 2*time.Second || before < 2100*time.Millisecond || before-after > 120*time.Millisecond || p.Offset > 10*time.Millisecond {
				t.Errorf("an instant from 2s to 2.1s became %s to %s, offset %s", after, before, p.Offset)
			}
		}
	})
}

// TestBoundsAreWidenedByTheOffset compares the bounds on this machine's clock with those on the agent's.
func TestBoundsAreWidenedByTheOffset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		zero := time.Now()
		bus := &scriptedBus{delay: 3 * time.Millisecond, to: make(chan Heard, 1000)}
		bus.answer = func(ask Ask) (Report, bool) {
			at := time.Since(zero)
			return Report{
				Kind: KindReport, Place: ask.Place, Watch: ask.Watch, Number: ask.Number, Read: farApart + at, Boot: at, Began: true, Full: true,
				Origins: []Seen{{Live: at > 3*time.Second, Settled: true, Pages: 1, FirstNew: edgeOf(time.Second, 1100*time.Millisecond), AllNew: edgeOf(2*time.Second, 2300*time.Millisecond)}},
			}, true
		}
		p := &Places{Bus: bus, NewID: rand.Text}
		s, err := p.Begin(t.Context(), agentsAt("ams", "fra"), []vantage.Origin{{Name: "web"}}, watchOptions(), BeginOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s.Ready(t.Context())
		if live, watching := s.Live("web"); live != 0 || watching != 2 {
			t.Errorf("%d of %d places saw it live", live, watching)
		}
		calm := s.Hurry([]string{"web"})
		for live := 0; live < 2; live, _ = s.Live("web") {
			<-s.Changed()
		}
		calm()
		if at := time.Since(zero); at < 3*time.Second || at > 4*time.Second {
			t.Errorf("both places saw it live after %s", at)
		}
		got := s.Finish(t.Context(), zero)
		s.Close()
		bus.all.Wait()
		own := diff.Window{Closed: true, Origins: []diff.OriginWindow{{Name: "web", Unchanged: true}}}
		w := own.JoinPlaces(zero, vantage.Here, got)
		if single := 400 * time.Millisecond; len(w.Places) != 3 || w.Upper-w.Lower > single+2*w.Places[1].Offset+time.Millisecond || w.Lower > 900*time.Millisecond || w.Upper < 1300*time.Millisecond {
			t.Errorf("got %+v", w)
		}
	})
}

// TestAgentsShareTheUniqueQueries has a watch by 5 agents use no more requests past the caches than one by this machine alone.
func TestAgentsShareTheUniqueQueries(t *testing.T) {
	t.Parallel()
	at := origin.Endpoint{Name: "web", URL: &url.URL{Scheme: "https", Host: "blog.example.com", Path: "/"}}
	at.Uniques = origin.NewUniques(origin.MostUnique)
	here, agents := Share([]origin.Endpoint{at}, 5)
	if each := agents[0].Uniques; each < 1 || 5*each+here[0].Uniques.Left() > origin.MostUnique {
		t.Errorf("each agent has %d, this machine %d", each, here[0].Uniques.Left())
	}
}
