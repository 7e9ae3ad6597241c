package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirror/diff"
	"mirror/internal/daemon/replica"
	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/internal/vantage/broker"
	"mirror/internal/vantage/group"
)

// cluster is a broker and the daemons of one group, which look at the same origins and notify the same recipient.
type cluster struct {
	t      *testing.T
	dir    string
	broker *broker.Server
	truth  *truth
	inbox  *inbox
}

// grouped is a daemon of a group.
type grouped struct {
	*Daemon
	history *history.Store
	member  *group.Member
	bus     *broker.Coordinator
	end     func()
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), truth: &truth{origins: []string{"git", "s3"}}, inbox: &inbox{}}
	var err error
	if c.broker, err = broker.Serve(broker.ServerOptions{Dir: filepath.Join(c.dir, "broker"), Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.broker.Close() })
	return c
}

// start starts the daemon with a name, with the history that it had before.
func (c *cluster) start(name string) *grouped {
	c.t.Helper()
	check := func(err error) {
		c.t.Helper()
		if err != nil {
			c.t.Fatal(err)
		}
	}
	g, log := &grouped{}, slog.New(slog.DiscardHandler)
	var err error
	g.bus, err = broker.Connect(c.t.Context(), broker.CoordinatorOptions{Dir: filepath.Join(c.dir, "broker"), URL: c.broker.URL(), Owner: name, Log: log})
	check(err)
	g.member, err = group.Join(c.t.Context(), group.Options{
		JetStream: g.bus.JetStream(), Replicas: func(set func(int) error) error { return set(1) }, Name: "blog", Owner: name, Host: name, Log: log,
	})
	check(err)
	g.history, err = history.Open(c.t.Context(), filepath.Join(c.dir, name+".db"))
	check(err)
	setup := Setup{
		Jobs: []Job{{Name: "look", Kind: Check, Schedule: every(c.t, "@every 1s")}}, Origins: c.truth.origins, Recipients: []notify.Recipient{c.inbox.recipient()},
		Work: Work{Check: func(context.Context, io.Writer) (diff.Verdict, error) { return c.truth.verdict(), nil }},
	}
	g.Daemon, err = New(setup, Options{History: g.history, Group: g.member, Name: name, Log: log, Notify: notify.Options{Group: 10 * time.Millisecond}})
	check(err)
	ctx, cancel := context.WithCancel(c.t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = g.Run(ctx) }) // one that is cut off cannot send all
	g.end = sync.OnceFunc(func() {
		cancel()
		all.Wait()
		g.member.Close()
		g.bus.Close()
		_ = g.history.Close() // it is read no more
	})
	c.t.Cleanup(g.end)
	return g
}

// kill ends a daemon that can tell the others nothing.
func (g *grouped) kill() {
	g.bus.Close()
	g.end()
}

func (c *cluster) await(what string, done func() bool) {
	c.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2 * time.Minute); !done(); <-tick.C {
		if time.Now().After(end) {
			c.t.Fatalf("%s does not come", what)
		}
	}
}

// checks lists the checks of a history, each as its job and its time.
func (g *grouped) checks(t *testing.T) (all []string) {
	t.Helper()
	rows, err := g.history.Checks(t.Context(), time.Time{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rows {
		all = append(all, fmt.Sprint(c.Job, " ", c.Started.UnixNano()))
	}
	slices.Sort(all)
	return all
}

// told reports whether a history knows that the opening of its first episode was told.
func (g *grouped) told(t *testing.T) bool {
	t.Helper()
	all, err := g.history.Episodes(t.Context(), history.EpisodeFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		return false
	}
	told, err := g.history.Sent(t.Context(), fmt.Sprintf("inbox/episode/%d/opened", all[0].ID))
	if err != nil {
		t.Fatal(err)
	}
	return told
}

func hasAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(all, one) })
}

// TestAnotherDaemonTakesOver has the daemon that leads be killed while an origin drifts: the other one checks and notifies
// of the end, and no alert is sent twice. When the first is back, both histories have each check once.
func TestAnotherDaemonTakesOver(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	first := c.start("first")
	c.await("a leader", first.member.Leads)
	second := c.start("second")
	c.await("the first checks in both histories", func() bool { return len(first.checks(t)) > 1 && len(second.checks(t)) > 1 })
	c.truth.set(fault{origin: "git", kind: diff.Stale})
	c.await("an alert that both know", func() bool { return first.told(t) && second.told(t) })
	if second.member.Leads() || !first.member.Leads() {
		t.Error("the second daemon leads beside the first")
	}
	first.kill()
	c.await("another leader", second.member.Leads)
	c.truth.set()
	c.await("the end of the alert", func() bool { return len(c.inbox.all()) > 1 })
	first = c.start("first")
	of, by := first.checks(t), second.checks(t)
	c.await("the checks of both in both histories", func() bool { return hasAll(first.checks(t), by) && hasAll(second.checks(t), of) })
	for _, g := range []*grouped{first, second} {
		if all := g.checks(t); len(slices.Compact(slices.Clone(all))) != len(all) {
			t.Errorf("a check is in a history twice: %q", all)
		}
	}
	if got, want := c.inbox.all(), []string{"opened drift git", "closed drift git"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// fakeGroup is a group of which the test says who leads, and whose records it reads.
type fakeGroup struct {
	mu      sync.Mutex
	leads   bool
	changed chan struct{}
	records chan []byte // to be received
}

func newFakeGroup() *fakeGroup {
	return &fakeGroup{changed: make(chan struct{}), records: make(chan []byte, 10)}
}

func (g *fakeGroup) Leads() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.leads
}

func (g *fakeGroup) Changed() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}

func (g *fakeGroup) lead() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leads = true
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *fakeGroup) Send(context.Context, []byte) error { return nil }

func (g *fakeGroup) Receive(ctx context.Context, take func(ctx context.Context, record []byte) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-g.records:
			_ = take(ctx, r) // the test sees what it kept
		}
	}
}

// TestSlotsOnStandby has slots come while another daemon leads: one that it begins is not run here, and one that it does not
// begin before it ends is.
func TestSlotsOnStandby(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, err := history.Open(t.Context(), filepath.Join(t.TempDir(), history.Name))
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		g := newFakeGroup()
		var began []time.Time // of runs here
		setup := Setup{
			Jobs: []Job{{Name: "look", Kind: Check, Schedule: every(t, "@every 1h")}}, Origins: []string{"git"},
			Work: Work{Check: func(context.Context, io.Writer) (diff.Verdict, error) {
				began = append(began, time.Now())
				return diff.Verdict{Started: time.Now()}, nil
			}},
		}
		d, err := New(setup, Options{History: h, Group: g})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { _ = d.Run(ctx) })
		next := func() time.Time { synctest.Wait(); return d.Status()[0].Next }
		slot := next()
		time.Sleep(time.Until(slot) + 2*time.Second)
		record, err := json.Marshal(replica.Record{Begun: &history.Run{Job: "look", Slot: slot, Started: time.Now()}, From: "another"})
		if err != nil {
			t.Fatal(err)
		}
		g.records <- record
		time.Sleep(10 * time.Second)
		if status := d.Status()[0]; status.Running || len(began) > 0 {
			t.Errorf("a slot that another daemon began: running %t, ran at %v", status.Running, began)
		}
		slot = next()
		time.Sleep(time.Until(slot) + 7*time.Second)
		if len(began) > 0 {
			t.Errorf("it runs on standby: %v", began)
		}
		g.lead()
		synctest.Wait()
		runs, err := h.Runs(t.Context(), history.RunFilter{Job: "look"})
		if err != nil {
			t.Fatal(err)
		}
		if len(began) == 0 || !slices.ContainsFunc(runs, func(r history.Run) bool { return r.Slot.Equal(slot) && r.Outcome == "done" }) {
			t.Errorf("after %s the slot of %s has not run: %+v", time.Since(start), slot, runs)
		}
		cancel()
		all.Wait()
	})
}
