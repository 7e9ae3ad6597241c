package windows

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/vantage"
	"mirror/internal/watch"
)

// Clock is the clocks of an agent's machine, see package hostclock.
type Clock interface {
	// At returns what the monotonic clock read at an instant of this process.
	At(instant time.Time) time.Duration
	// Boot returns what the clock reads now that goes on while the machine is suspended.
	Boot() time.Duration
}

// Agent watches what coordinators ask for. It is safe for concurrent use.
type Agent struct {
	Place  string
	Looker *vantage.Looker
	Clock  Clock
	Send   func(Report) // must not block for long

	mu       sync.Mutex // guards what follows
	closed   bool
	watches  map[string]*follower
	watching sync.WaitGroup
}

// The bounds of what an agent does for coordinators.
const (
	mostWatches = 4
	mostChanges = 10_000
	longest     = 24 * time.Hour
	// orphaned is how long after the last Ask an agent ends a watch by itself.
	orphaned = 30 * time.Second
	// soonest is the time between two reports that nothing asked for.
	soonest = 10 * time.Millisecond
)

// Take answers an Ask at once, and begins or ends a watch by it. Watches end with ctx.
func (a *Agent) Take(ctx context.Context, ask Ask) {
	r := Report{Kind: KindReport, Protocol: vantage.Protocol, Place: a.Place, Watch: ask.Watch, Number: ask.Number}
	var ok bool
	if r.Read, r.Boot, ok = read(a.Clock); !ok {
		return // it is asked again
	}
	a.mu.Lock()
	f := a.watches[ask.Watch]
	switch {
	case f != nil:
		a.mu.Unlock()
		f.take(ask, &r)
	case ask.Task == nil || ask.End || a.closed:
		a.mu.Unlock()
		r.Refused = "its agent was started again during the watch"
	case len(a.watches) >= mostWatches:
		a.mu.Unlock()
		r.Refused = fmt.Sprintf("its agent has %d watches already", mostWatches)
	default:
		f = a.begin(ctx, ask)
		a.mu.Unlock()
		f.take(ask, &r)
	}
	a.Send(r)
}

// readWithin is how far apart the two clocks may be read, and readAgain how often that is tried.
const (
	readWithin = time.Millisecond
	readAgain  = 20
)

// read reads both clocks at one time: on a busy machine a pause between the two would look as if the machine
// had been suspended.
func read(c Clock) (monotonic, boot time.Duration, ok bool) {
	for range readAgain {
		began := time.Now()
		monotonic, boot = c.At(began), c.Boot()
		if time.Since(began) <= readWithin {
			return monotonic, boot, true
		}
	}
	return 0, 0, false
}

// Wait waits until all watches have ended, which their context ends. No further one begins.
func (a *Agent) Wait() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.watching.Wait()
}

// begin begins a watch. The caller must hold mu.
func (a *Agent) begin(ctx context.Context, ask Ask) *follower {
	if a.watches == nil {
		a.watches = map[string]*follower{}
	}
	f := &follower{agent: a, id: ask.Watch, task: ask.Task, heard: time.Now()}
	ctx, f.stop = context.WithTimeout(ctx, min(max(ask.Task.Limit, time.Second), longest))
	a.watches[ask.Watch] = f
	a.watching.Go(func() {
		defer func() {
			f.stop()
			a.mu.Lock()
			defer a.mu.Unlock()
			delete(a.watches, ask.Watch)
		}()
		f.run(ctx)
	})
	return f
}

// follower carries out one watch.
type follower struct {
	agent *Agent
	id    string
	task  *Task
	stop  context.CancelFunc

	mu      sync.Mutex // guards what follows
	heard   time.Time  // when the coordinator last asked
	refused string
	watch   *watch.Watch // nil before it has begun
	began   time.Time    // of the watch
	hurried []int
	calm    func()
}

// take notes an Ask and fills in the report.
func (f *follower) take(ask Ask, r *Report) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heard = time.Now()
	if r.Refused = f.refused; f.watch != nil {
		if !slices.Equal(ask.Hurry, f.hurried) {
			f.hurry(ask.Hurry)
		}
		r.Began, r.Full = true, ask.Full
		r.Origins = f.seen(ask.Full)
	}
	if ask.End {
		f.stop()
	}
}

// hurry has what a barrier waits for requested more often. The caller must hold mu.
func (f *follower) hurry(indexes []int) {
	if f.calm != nil {
		f.calm()
	}
	var names []string
	for _, i := range indexes {
		if i >= 0 && i < len(f.task.Origins) {
			names = append(names, f.task.Origins[i].Name)
		}
	}
	f.hurried, f.calm = indexes, f.watch.Hurry(names)
}

// run watches until ctx ends, and reports what changes for a barrier.
func (f *follower) run(ctx context.Context) {
	origins, err := f.endpoints()
	if err != nil {
		f.refuse(ctx, err)
		return
	}
	o := f.task.options()
	if f.task.Baseline {
		if o, err = watch.Baseline(ctx, origins, o); err != nil {
			return
		}
	}
	f.mu.Lock()
	o.Began = time.Now()
	w := watch.Start(ctx, origins, o)
	f.watch, f.began = w, o.Began
	f.mu.Unlock()
	defer w.Stop()
	f.tell(ctx, w)
}

// endpoints are the origins of the task, as far as the agent may ask them.
func (f *follower) endpoints() (origins []origin.Endpoint, err error) {
	if len(f.task.Origins) == 0 || len(f.task.Origins) > vantage.MostOrigins || len(f.task.Changes) > mostChanges {
		return nil, errors.New("the watch is larger than an agent carries out")
	}
	for _, o := range f.task.Origins {
		at, err := f.agent.Looker.Endpoint(o)
		if err != nil {
			return nil, err
		}
		at.Pace = nil // the share of a watch is another one than that of a check
		origins = append(origins, at)
	}
	return origins, nil
}

// refuse says why the agent does not watch, until the coordinator has heard it.
func (f *follower) refuse(ctx context.Context, err error) {
	f.mu.Lock()
	f.refused = err.Error()
	f.mu.Unlock()
	f.send(nil)
	for ctx.Err() == nil && !f.orphaned() {
		pause(ctx, orphaned/10)
	}
}

func (f *follower) orphaned() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.heard) > orphaned
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// tell reports by itself that the watch has begun, and each time that an origin is seen live or settled.
func (f *follower) tell(ctx context.Context, w *watch.Watch) {
	var told []Seen
	for ctx.Err() == nil && !f.orphaned() {
		changed := w.Changed()
		f.mu.Lock()
		now := f.seen(false)
		f.mu.Unlock()
		if !reflect.DeepEqual(now, told) {
			f.send(now)
			told = now
		}
		pause(ctx, soonest)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-time.After(time.Second):
		}
	}
}

// send sends a report that nothing asked for.
func (f *follower) send(seen []Seen) {
	f.mu.Lock()
	r := Report{Kind: KindReport, Protocol: vantage.Protocol, Place: f.agent.Place, Watch: f.id, Refused: f.refused, Began: f.watch != nil, Origins: seen}
	f.mu.Unlock()
	f.agent.Send(r)
}

// seen tells how the origins stand, with the window where it is asked for. The caller must hold mu.
func (f *follower) seen(full bool) []Seen {
	all := make([]Seen, len(f.task.Origins))
	for i, p := range f.watch.Progress() {
		all[i].Live, all[i].Settled = p.Live, p.Settled
	}
	if !full {
		return all
	}
	index := map[string]int{}
	for i, c := range f.task.Changes {
		index[c.Path] = i
	}
	for i, o := range f.watch.Window().Origins {
		s := &all[i]
		s.Unchanged, s.Flaps, s.Reversals, s.Polls, s.Pages = o.Unchanged, o.Flaps, o.Reversals, o.Polls, o.Pages
		s.FirstNew, s.AllNew = f.edge(o.FirstNew), f.edge(o.AllNew)
		if o.Switch != nil {
			once := f.edge(*o.Switch)
			s.Switch = &once
		}
		for _, path := range o.Open {
			s.Open = append(s.Open, index[path])
		}
	}
	return all
}

// edge is bounds on the agent's clock. What is bounded by the begin of the agent's own watch alone is not bounded
// by anything that the agent saw.
func (f *follower) edge(b diff.Bounds) (e Edge) {
	if b.After.After(f.began) {
		after := f.agent.Clock.At(b.After)
		e.After = &after
	}
	if !b.Before.IsZero() {
		before := f.agent.Clock.At(b.Before)
		e.Before = &before
	}
	return e
}
