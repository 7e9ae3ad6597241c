package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// place is a recipient that writes down what it takes.
type place struct {
	mu    sync.Mutex
	took  []Message
	tried int
	// fails says whether an attempt, counted from 1, fails; nil for never.
	fails func(attempt int) bool
}

func (p *place) Send(ctx context.Context, m Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tried++
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(m.Title)+len(m.Text) == 0 || len(m.News) == 0 {
		return errors.New("an empty message")
	}
	if p.fails != nil && p.fails(p.tried) {
		return fmt.Errorf("attempt %d is refused", p.tried)
	}
	m.At = time.Now()
	p.took = append(p.took, m)
	return nil
}

// told lists what was told, as "episode change".
func (p *place) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, m := range p.took {
		for _, n := range m.News {
			all = append(all, n.Event.Episode+" "+string(n.Change))
		}
	}
	return all
}

func (p *place) messages() []Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.took)
}

// start returns a notifier of one recipient. Inside a bubble, close it before the end.
func start(t *testing.T, r Recipient, o Options) *Notifier {
	t.Helper()
	n, err := New([]Recipient{r}, o)
	if err != nil {
		t.Fatal(err)
	}
	n.Start()
	return n
}

func stop(t *testing.T, n *Notifier) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Error(err)
	}
}

// opened and closed are the two events of a drift.
func opened(episode, origin string) Event {
	return Event{Kind: Drift, Episode: episode, Origin: origin, Opened: time.Now(), Counts: map[string]int{"stale": 3}}
}

func closed(e Event) Event {
	e.Closed = time.Now()
	return e
}

func wantTold(t *testing.T, p *place, want ...string) {
	t.Helper()
	if got := p.told(); !slices.Equal(got, want) {
		t.Errorf("told\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
