package broker

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/longtest"
	"mirror/internal/vantage"
)

// link is the network between an agent and the broker. It can be cut.
type link struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

func newLink(t *testing.T, to string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{listener: listener, to: to, conns: map[net.Conn]bool{}}
	var all sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); l.set(true); all.Wait() })
	all.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { l.carry(in) })
		}
	})
	return l
}

// carry carries one connection until it ends or the link is cut.
func (l *link) carry(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer out.Close()
	l.mu.Lock()
	if l.cut {
		l.mu.Unlock()
		return
	}
	l.conns[in] = true
	l.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() }) // either end may be gone
	both.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
	both.Wait()
	l.mu.Lock()
	delete(l.conns, in)
	l.mu.Unlock()
}

func (l *link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	for c := range l.conns {
		if cut {
			_ = c.Close()
		}
	}
}

// trial is one experiment: agents, each behind a link of its own.
type trial struct {
	*world
	links map[string]*link
}

// run runs the agent of a place, which has enrolled before or does now.
func (w *trial) run(place string) {
	dir := filepath.Join(w.dir, "agent-"+place)
	token := ""
	if _, err := os.Stat(filepath.Join(dir, "agent.json")); err != nil {
		if token, err = newRegistry(w.dir).invite(place, nil); err != nil {
			w.t.Error(err)
			return
		}
	}
	ctx, stop := context.WithCancel(w.t.Context())
	connected, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		err := Run(ctx, AgentOptions{
			Dir: dir, Join: Joined{Place: place, Server: "nats://" + w.links[place].listener.Addr().String(), Pins: vantage.PinsOf(w.origins)}, Token: token,
			Log: slog.New(slog.DiscardHandler), Connected: func() { close(connected) },
		})
		if err != nil && ctx.Err() == nil {
			w.t.Errorf("%s: %v", place, err)
		}
	}()
	w.mu.Lock()
	w.stop[place] = func() { stop(); <-ended }
	w.mu.Unlock()
	if token != "" {
		select {
		case <-connected:
		case <-ended:
		}
	}
}

// fault does one thing to the agents, the network or the broker, and undoes it after a while: the only
// sleeps here are how long a fault lasts.
func (w *trial) fault(random *rand.Rand, places []string, at string) {
	place := places[random.IntN(len(places))]
	away := time.Duration(random.IntN(1500)) * time.Millisecond
	switch random.IntN(5) {
	case 0, 1:
		w.mu.Lock()
		stop := w.stop[place]
		w.mu.Unlock()
		stop()
		time.Sleep(away)
		w.run(place)
	case 2, 3:
		w.links[place].set(true)
		time.Sleep(away)
		w.links[place].set(false)
	case 4:
		if err := w.server.Close(); err != nil {
			w.t.Error(err)
		}
		time.Sleep(away)
		w.restart(at)
	}
}

// restart starts the broker at the address that it had: another program may have the port for a moment.
func (w *trial) restart(at string) {
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		var s *Server
		if s, err = Serve(ServerOptions{Dir: w.dir, Listen: at, Log: slog.New(slog.DiscardHandler)}); err == nil {
			w.server = s
			w.t.Cleanup(func() { _ = s.Close() })
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.t.Error(err)
}

// TestFaultsLoseNothing ends and cuts off agents and restarts the broker during checks. In each check, what
// is not said to be missing must be whole: each page of each place once, and the verdict true.
func TestFaultsLoseNothing(t *testing.T) {
	longtest.Skip(t, "loses messages at random")
	t.Parallel()
	const pages = 3000
	agents, rounds, seed := 4, 2, uint64(1)
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		agents, rounds = 8, 100
	}
	if text := os.Getenv("MIRROR_SEED"); text != "" {
		number, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = number
	}
	random := rand.New(rand.NewPCG(seed, 0))
	w := &trial{links: map[string]*link{}, world: newWorld(t, pages, func(path string) http.HandlerFunc {
		if path == "/p7.html" {
			return http.NotFound
		}
		return nil
	})}
	w.coordinate()
	at, err := url.Parse(w.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	for i := range agents {
		places = append(places, fmt.Sprint("place-", i))
		w.links[places[i]] = newLink(t, at.Host)
		w.run(places[i])
	}
	t.Cleanup(func() {
		for _, place := range places {
			w.stop[place]()
		}
	})
	for round := range rounds {
		mode := []vantage.Mode{vantage.Each, vantage.Spread}[round%2]
		w.round(random, mode, places, at.Host, pages)
	}
}

// round makes one check while faults happen, and judges what it found.
func (w *trial) round(random *rand.Rand, mode vantage.Mode, places []string, at string, pages int) {
	began := time.Now()
	over := make(chan struct{})
	var faults sync.WaitGroup
	faults.Go(func() {
		for range 3 {
			select {
			case <-over:
				return
			case <-time.After(time.Duration(random.IntN(400)) * time.Millisecond):
				w.fault(random, places, at)
			}
		}
	})
	p := w.places(mode)
	seen, err := p.Look(w.t.Context(), w.origins, w.look)
	close(over)
	faults.Wait()
	if err != nil {
		w.t.Fatal(err)
	}
	if took := time.Since(began); took > p.Timeout+time.Minute {
		w.t.Errorf("%s: the check took %s", mode, took)
	}
	v := seen.Join(diff.Verdict{Pages: pages}, w.origins, nil, 1)
	if len(v.Origins) == 0 && len(v.Notes) == len(places) {
		w.t.Logf("%s: every place is missing", mode)
		return
	}
	if len(v.Origins) != 1 {
		w.t.Fatalf("%s: %d origins, notes %q", mode, len(v.Origins), v.Notes)
	}
	o := v.Origins[0]
	missing := strings.Join(v.Notes, "\n")
	sum := 0
	for _, s := range o.Places {
		sum += s.Pages
		if mode == vantage.Each && (s.Pages != pages || s.Match != pages-1) && !strings.Contains(missing, s.Name+" is missing") {
			w.t.Errorf("each: %s saw %d of %d pages, %d agree", s.Name, s.Pages, pages, s.Match)
		}
	}
	if mode == vantage.Spread && (sum+seen.Unseen != pages || seen.Unseen > 0 && missing == "") {
		w.t.Errorf("spread: %d pages were counted, %d were not seen, notes %q", sum, seen.Unseen, v.Notes)
	}
	for _, d := range o.Differences {
		if d.Path != "p7.html" && d.Path != "*" {
			w.t.Errorf("%s: %s %s: %s", mode, d.Kind, d.Path, d.Detail)
		}
	}
	w.t.Logf("%s: %s, %d pages agree, notes %q", mode, time.Since(began).Round(time.Millisecond), o.Match, v.Notes)
}
