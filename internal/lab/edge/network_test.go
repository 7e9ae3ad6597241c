package edge_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"mirror/internal/lab"
	"mirror/internal/lab/edge"
	"mirror/internal/lab/edge/edgetest"
	"mirror/internal/longtest"
)

// start starts a lab until the test ends.
func start(t *testing.T, o lab.Options) *lab.Lab {
	t.Helper()
	o.Dir = t.TempDir()
	l, err := lab.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return l
}

// changer is what a person can do to a place, at once or at the place's pace.
type changer interface {
	Edit(context.Context, map[string][]byte) error
	Change(context.Context, map[string][]byte) error
}

func places(l *lab.Lab) []changer { return []changer{l.Git, l.S3, l.Registry} }

// crawler asks for pages until it is stopped, and notes what it got and when.
type crawler struct {
	t       *testing.T
	origin  *edge.Origin
	mu      sync.Mutex
	answers []answer
}

// run crawls while f runs, and before and after that until everything was asked for some times.
func (c *crawler) run(paths []string, f func()) {
	ctx, stop := context.WithCancel(c.t.Context())
	var crawling sync.WaitGroup
	for range 3 {
		crawling.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			for i := 0; ctx.Err() == nil; i++ {
				c.ask(transport, paths[i%len(paths)])
			}
		})
	}
	defer crawling.Wait()
	defer stop()
	c.await(10 * len(paths))
	f()
	c.mu.Lock()
	n := len(c.answers)
	c.mu.Unlock()
	c.await(n + 10*len(paths))
}

// await waits for so many answers.
func (c *crawler) await(n int) {
	deadline, ticker := time.After(time.Minute), time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		c.mu.Lock()
		got := len(c.answers)
		c.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			c.t.Errorf("%d answers within a minute, want %d", got, n)
			return
		}
	}
}

func (c *crawler) ask(transport *http.Transport, path string) {
	req, err := http.NewRequestWithContext(c.t.Context(), "GET", c.origin.URL+path, nil)
	if err != nil {
		c.t.Error(err)
		return
	}
	a := answer{path: path, asked: time.Now()}
	res, err := transport.RoundTrip(req)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	a.answered = time.Now()
	if err != nil {
		c.t.Error(err)
	}
	if a.edge = edgeOf(c.t, res.Header); res.StatusCode == http.StatusOK {
		a.sum = sha256.Sum256(body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers = append(c.answers, a)
}

// Over the network, with real storage behind, every answer is what the truth says.
func TestTruthOverTheNetwork(t *testing.T) {
	longtest.Skip(t, "compares many random worlds")
	const lag, stale, perFile = 500 * time.Millisecond, 100 * time.Millisecond, 20 * time.Millisecond
	l := start(t, lab.Options{})
	for i, place := range places(l) {
		origin := l.Origins()[i]
		origin.SetEdges(edge.Edges{Stale: []time.Duration{0, stale}})
		old, next := pages("old"), pages("new")
		next["added.txt"], next["0.txt"] = []byte("new"), nil
		if err := place.Edit(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		origin.SetLag(lag, 0)
		origin.SetTrickle(perFile, nil)
		c := &crawler{t: t, origin: origin}
		asked := time.Now()
		var answered time.Time
		c.run([]string{"0.txt", "1.txt", "2.txt", "same.txt", "added.txt"}, func() {
			if err := place.Change(t.Context(), next); err != nil {
				t.Error(err)
			}
			answered = time.Now()
			edgetest.Settle(t, origin)
		})
		truth := origin.Turned()
		for _, a := range c.answers {
			if err := a.check(truth); err != nil {
				t.Fatalf("%s: %v", origin.Name, err)
			}
		}
		c.wantAnswers(digest("1 old"), digest("1 new"), [sha256.Size]byte{})
		turns := truth.Since(asked)
		if got, want := len(turns), 2*4; got != want {
			t.Errorf("%s: %d turns, want %d: %v", origin.Name, got, want, turns)
		}
		first, last := turns.First(), turns.Last()
		if first.Before.Before(asked.Add(lag)) || first.After.After(answered.Add(lag)) {
			t.Errorf("%s: first turned in [%s, %s], changed in [%s, %s]", origin.Name, first.Before, first.After, asked, answered)
		}
		if got, want := last.Before.Sub(first.Before), stale+3*perFile; got < want {
			t.Errorf("%s: turned for %s, want %s or more", origin.Name, got, want)
		}
		vague := 0
		for _, turn := range turns {
			if turn.At.After.Sub(turn.At.Before) > time.Millisecond {
				vague++
			}
		}
		if vague > len(turns)/2 { // the machine may stand still in the middle of one
			t.Errorf("%s: %d of %d turns are known to no millisecond: %v", origin.Name, vague, len(turns), turns)
		}
	}
}

func pages(age string) map[string][]byte {
	files := map[string][]byte{"same.txt": []byte("same"), "index.html": []byte("home")}
	for i := range 3 {
		files[fmt.Sprint(i, ".txt")] = fmt.Append(nil, i, " ", age)
	}
	return files
}

// wantAnswers wants each content to have been seen at both caches: else nothing was tested.
func (c *crawler) wantAnswers(sums ...[sha256.Size]byte) {
	c.t.Helper()
	for _, sum := range sums {
		for at := range 2 {
			if !slices.ContainsFunc(c.answers, func(a answer) bool { return a.sum == sum && a.edge == at }) {
				c.t.Errorf("%s: of %d answers none of edge %d is %x", c.origin.Name, len(c.answers), at, sum[:2])
			}
		}
	}
}

func TestConnectionsMeetEdges(t *testing.T) {
	l := start(t, lab.Options{})
	if err := l.Git.Edit(t.Context(), map[string][]byte{"index.html": []byte("home")}); err != nil {
		t.Fatal(err)
	}
	for _, sticky := range []bool{true, false} {
		l.Git.SetEdges(edge.Edges{Stale: make([]time.Duration, 3), Sticky: sticky})
		met := map[int]bool{}
		for range 30 {
			c := &crawler{t: t, origin: l.Git.Origin}
			transport := &http.Transport{}
			here := map[int]bool{}
			for range 30 {
				c.ask(transport, "")
			}
			transport.CloseIdleConnections()
			for _, a := range c.answers {
				met[a.edge], here[a.edge] = true, true
			}
			if sticky && len(here) != 1 || !sticky && len(here) != 3 {
				t.Errorf("sticky %t: one connection met the caches %v", sticky, here)
			}
		}
		if len(met) != 3 {
			t.Errorf("sticky %t: all connections met the caches %v", sticky, met)
		}
	}
}
