package front_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/front"
	"mirror/internal/wait"
	"mirror/site"
)

// pair is two fronts over the same origins, and visitors whom each request may lead to either of them.
type pair struct {
	*world
	urls []string
	rest time.Duration // of a visitor between two requests

	mu    sync.Mutex // guards moves
	moves [2]map[site.ID]front.Event

	asked, back, late atomic.Int64
	failed            atomic.Pointer[string]
}

// TestTwoFronts publishes while visitors with cookies go to one of two fronts at random. Nobody sees an earlier release
// after a later one, and no request that begins after the move of a front gets what it served before. The long form
// measures the fronts as they are by default.
func TestTwoFronts(t *testing.T) {
	full := os.Getenv("MIRROR_EXPERIMENT") == "full"
	rounds, visitors := 6, 8
	o := front.Options{Quorum: 2, Cookie: true, Disk: 1 << 30, Behind: patience} // a machine that stands still for a while is no fault
	if full {
		rounds, visitors, o.Behind = 100, 200, 0
	} else {
		t.Parallel()
	}
	p := &pair{world: newWorld(t, 3, o)}
	if full {
		p.rest = 50 * time.Millisecond
	}
	p.publish(release(t, 1, numbered(1)), 0, 1, 2)
	for i := range p.moves {
		p.moves[i] = map[site.ID]front.Event{}
		p.add(i)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range visitors {
		all.Go(func() { p.visit(ctx, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	for n := 2; n <= rounds+1; n++ {
		p.round(n)
	}
	cancel()
	all.Wait()
	if text := p.failed.Load(); text != nil {
		t.Error(*text)
	}
	if late := p.late.Load(); late > 0 {
		t.Errorf("%d requests that began after the move got the release before", late)
	}
	if back := p.back.Load(); back > 0 && !full {
		t.Errorf("%d visitors were thrown back", back)
	}
	p.report(full)
}

// numbered are the files of a release that tell its number.
func numbered(n int) map[string]string {
	files := map[string]string{"404.html": "lost"}
	for i := range 20 {
		files[fmt.Sprintf("p%d/index.html", i)] = strconv.Itoa(n)
	}
	files["index.html"] = strconv.Itoa(n)
	return files
}

// add starts a front.
func (p *pair) add(i int) {
	p.options.Dir = p.t.TempDir()
	p.options.Events = func(e front.Event) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if e.Event == front.Moved {
			p.moves[i][e.Release] = e
		}
	}
	p.stop = nil // the first front runs on
	p.start()
	p.await("/", "1")
	p.urls = append(p.urls, p.url)
}

// round publishes to one origin after another, and waits until both fronts and the visitors have moved.
func (p *pair) round(n int) {
	rel := release(p.t, int64(n), numbered(n))
	for _, i := range rand.New(rand.NewPCG(2, uint64(n))).Perm(len(p.origins)) {
		p.publish(rel, i)
	}
	p.eventually(func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return !p.moves[0][rel.ID()].Time.IsZero() && !p.moves[1][rel.ID()].Time.IsZero()
	}, func() string { return fmt.Sprintf("the fronts do not move to release %d", n) })
	asked := p.asked.Load()
	p.eventually(func() bool { return p.asked.Load() >= asked+50 || p.failed.Load() != nil }, func() string { return "the visitors stand still" })
}

// visit is one visitor, with a browser's cookies.
func (p *pair) visit(ctx context.Context, random *rand.Rand) {
	transport := &http.Transport{MaxConnsPerHost: 2}
	defer transport.CloseIdleConnections()
	latest := 0
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Error(err)
		return
	}
	client := http.Client{Transport: transport, Jar: jar} // both fronts are on 127.0.0.1, and share the cookie
	for ctx.Err() == nil {
		i := random.IntN(2)
		began := time.Now()
		n, err := p.number(ctx, &client, fmt.Sprintf("%s/p%d/", p.urls[i], random.IntN(20)))
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			text := err.Error()
			p.failed.CompareAndSwap(nil, &text)
			return
		}
		p.judge(i, n, latest, began)
		latest = max(latest, n)
		p.asked.Add(1)
		if p.rest > 0 && wait.Sleep(ctx, p.rest) != nil {
			return
		}
	}
}

// judge counts what must not be.
func (p *pair) judge(i, n, latest int, began time.Time) {
	if n < latest {
		p.back.Add(1)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, move := range p.moves[i] {
		if int64(n) < move.Sequence && began.After(move.Time) {
			p.late.Add(1)
			return
		}
	}
}

func (p *pair) number(ctx context.Context, client *http.Client, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s answers %d %.40q", url, resp.StatusCode, text)
	}
	return n, nil
}

// report logs what was measured; the long form holds it to the bounds.
func (p *pair) report(full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var gaps, afters []float64
	for id, one := range p.moves[0] {
		if other, ok := p.moves[1][id]; ok && one.Sequence > 1 {
			gaps = append(gaps, float64(one.Time.Sub(other.Time).Abs().Microseconds())/1000)
			afters = append(afters, one.After, other.After)
		}
	}
	slices.Sort(gaps)
	slices.Sort(afters)
	gap, after := gaps[len(gaps)-1], afters[len(afters)-1]
	p.t.Logf("%d requests, %d thrown back; gap between the moves: %.1f ms half, %.1f ms at most; a move after its quorum: %.2f ms half, %.2f ms at most",
		p.asked.Load(), p.back.Load(), gaps[len(gaps)/2], gap, afters[len(afters)/2], after)
	if late := afters[len(afters)*99/100]; full && late > 100 { // one of a hundred: another process may take the processor for a while
		p.t.Errorf("of 100 moves one came %.1f ms after the answer that completed its quorum", late)
	}
}
