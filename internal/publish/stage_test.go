package publish_test

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/publish"
	"mirror/site"
	"mirror/targets"
)

// stage is where the origins of a test stand, in the time of synctest.
type stage struct {
	mu      sync.Mutex
	started time.Time
	log     []string // what happened, with its time since the start
	lags    map[string]time.Duration
	fails   map[string]error // of commits
	turned  map[string]chan struct{}
	settled int           // how often the watch was ended
	looks   time.Duration // what it takes to see what is live
	verify  time.Duration // verify_timeout; 0 for the usual one
	silent  bool          // destinations never answer what they hold once they are committed
}

func (s *stage) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, time.Since(s.started).String()+" "+fmt.Sprintf(format, args...))
}

// stand is a target without content. Its origin turns some time after the commit.
type stand struct {
	targets.Target
	stage *stage
	name  string
	live  site.ID
}

func (d *stand) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	if d.stage.silent && d.live == rel.ID() {
		<-ctx.Done()
		return targets.Plan{}, ctx.Err()
	}
	return targets.Plan{Live: targets.Live{Release: d.live}}, nil
}

// Live tells what is live.
func (d *stand) Live(context.Context) (targets.Live, error) {
	return targets.Live{Release: d.live}, nil
}

func (*stand) Stage(context.Context, *site.Release, targets.Progress) error { return nil }

func (d *stand) Commit(_ context.Context, s targets.Swap) error {
	d.stage.note("commit %s", d.name)
	if err := d.stage.fails[d.name]; err != nil {
		return err
	}
	d.live = s.To
	turned := d.stage.turned[d.name]
	time.AfterFunc(d.stage.lags[d.name], func() { close(turned) })
	return nil
}

func (d *stand) Rollback(_ context.Context, s targets.Swap) error {
	d.stage.note("rollback %s", d.name)
	d.live = s.From.Release
	return nil
}

// Watch begins a watch that sees an origin turn when it does.
func (s *stage) Watch(context.Context, *site.Release, map[string]targets.Plan) (publish.ActiveWatch, error) {
	time.Sleep(s.looks)
	s.note("watch")
	return s, nil
}

// Await waits for origins.
func (s *stage) Await(ctx context.Context, names []string) (late []string) {
	s.note("await %s", strings.Join(names, " "))
	for _, name := range names {
		select {
		case <-s.turned[name]:
			continue
		case <-ctx.Done():
		}
		select { // of both, the turn counts
		case <-s.turned[name]:
		default:
			late = append(late, name)
		}
	}
	return late
}

// Settle waits for all.
func (s *stage) Settle(ctx context.Context) diff.Window {
	s.settled++
	for _, turned := range s.turned {
		select {
		case <-turned:
		case <-ctx.Done():
		}
	}
	return diff.Window{}
}

// notes hears what a person is told.
type notes struct {
	silent
	stage *stage
}

func (n notes) Note(destination, text string) { n.stage.note("note %s: %s", destination, text) }

// cast makes the destinations of a test, "name kind" each; "name kind -" has no origin.
func (s *stage) cast(roles ...string) []targets.Destination {
	s.started, s.turned = time.Now(), map[string]chan struct{}{}
	var all []targets.Destination
	for _, role := range roles {
		f := strings.Fields(role)
		d := targets.Destination{Name: f[0], Kind: kindNamed(f[1]), Target: &stand{stage: s, name: f[0]}}
		if len(f) == 2 {
			d.Origin = &url.URL{Scheme: "http", Host: f[0]}
		}
		s.turned[d.Name] = make(chan struct{})
		all = append(all, d)
	}
	return all
}

func (s *stage) run(ctx context.Context, o publish.Order, dests []targets.Destination) (*publish.Report, error) {
	return publish.Run(ctx, rel("new"), dests, s.options(o))
}

func (s *stage) options(o publish.Order) publish.Options {
	return publish.Options{Order: o, Watcher: s, Events: notes{stage: s}, VerifyTimeout: cmp.Or(s.verify, patience+time.Minute)}
}

// told holds what happened to what should have. What happened at the same instant did so in any order.
func (s *stage) told(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(byInstant(s.log), byInstant(want)) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(s.log, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// byInstant sorts what happened at the same instant.
func byInstant(log []string) []string {
	log = slices.Clone(log)
	instant := func(line string) string { at, _, _ := strings.Cut(line, " "); return at }
	for i := 0; i < len(log); {
		j := i
		for j < len(log) && instant(log[j]) == instant(log[i]) {
			j++
		}
		slices.Sort(log[i:j])
		i = j
	}
	return log
}
