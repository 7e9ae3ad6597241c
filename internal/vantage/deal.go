package vantage

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/origin"
)

// Mode is how the pages of a check are dealt.
type Mode string

// The modes.
const (
	Each   Mode = "each"   // every agent looks at every page
	Spread Mode = "spread" // the agents share the pages: one look at each
)

// Bus carries items to agents and their results back. All that it does ends with ctx.
type Bus interface {
	// Agents lists the agents that are enrolled.
	Agents(ctx context.Context) ([]Agent, error)
	// Send queues an item for a place. What is not fetched within its limit is dropped.
	Send(ctx context.Context, item Item) error
	// Results returns what comes back for a check, until ctx ends. Each result is kept before.
	Results(ctx context.Context, check string) (<-chan Returned, error)
	// Withdraw drops what is still queued of a check.
	Withdraw(ctx context.Context, check string) error
}

// Agent is an agent that is enrolled.
type Agent struct {
	Place string
	Hello Hello
	Heard time.Time // when it last said that it is there; zero for never
}

// Returned is a result and the place that sent it.
type Returned struct {
	Place  string
	Result Result
	At     time.Time
}

// Places looks from all places that are enrolled.
type Places struct {
	Bus     Bus
	Mode    Mode
	Quorum  int
	Timeout time.Duration // of one check
	Log     *slog.Logger
	NewID   func() string // of a check
}

// How many parts an agent has at once, so that it has work while a result is on its way; after how long
// a silent agent is not waited for; how often the dealer looks round; and when a slow part is dealt again.
const (
	window     = 2
	missAfter  = 15 * time.Second
	tick       = 200 * time.Millisecond
	hedgeAfter = 2 * time.Second
	mostCopies = 3
)

// Views are what all places saw.
type Views struct {
	Views  []diff.PlaceView
	Shared bool // each page was looked at from one place
	Unseen int  // pages that no place looked at, where they were shared
}

// Look has the agents look at the origins, and returns what each of them saw. It ends within p.Timeout
// and when ctx does; what is missing by then is in the views. Without agents there are none. The error is
// that of the bus.
func (p *Places) Look(ctx context.Context, origins []origin.Endpoint, look check.Options) (Views, error) {
	agents, err := p.Bus.Agents(ctx)
	if err != nil || len(agents) == 0 {
		return Views{}, err
	}
	ctx, done := context.WithTimeout(ctx, p.Timeout)
	defer done()
	d := &dealer{Places: p, began: time.Now(), agents: map[string]*agent{}, done: map[int]bool{}, copies: map[int]int{}}
	d.job = newJob(p.NewID(), origins, look, p.Timeout, len(agents))
	if p.Mode == Spread {
		for part := range d.job.parts {
			d.queue = append(d.queue, part)
		}
	}
	returned, err := p.Bus.Results(ctx, d.job.base.Check)
	if err != nil {
		return Views{}, err
	}
	err = d.deal(ctx, returned)
	leaving, left := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer left()
	if withdrawn := p.Bus.Withdraw(leaving, d.job.base.Check); withdrawn != nil {
		p.Log.Warn("what is left of a check could not be withdrawn", "check", d.job.base.Check, "err", withdrawn)
	}
	return Views{Views: d.views(), Shared: p.Mode == Spread, Unseen: d.unseen()}, err
}

// leaveWithin bounds what is done when a check has ended.
const leaveWithin = 5 * time.Second

// dealer deals one check. One goroutine has it.
type dealer struct {
	*Places
	job    *job
	began  time.Time
	agents map[string]*agent
	queue  []int        // parts to deal, where the agents share them
	done   map[int]bool // parts that some agent has done
	copies map[int]int  // how often a part was dealt, where the agents share them
	took   time.Duration
	count  int // results that came
}

// agent is what is known of an agent during a check.
type agent struct {
	Agent
	open    map[int]dealt
	away    bool // it was silent when it was looked for last
	next    int  // the next part to deal, where every agent gets all
	parts   map[int][]diff.OriginVerdict
	refused string // why it is not dealt to any more
}

// dealt is an item that is out.
type dealt struct {
	Item
	at time.Time
}

// deal hands out parts until all are done, or until no agent is left that could do the rest.
func (d *dealer) deal(ctx context.Context, returned <-chan Returned) error {
	round := time.NewTicker(tick)
	defer round.Stop()
	for {
		if err := d.meet(ctx); err != nil && ctx.Err() == nil {
			d.Log.Warn("the agents cannot be listed", "err", err)
		}
		for _, place := range slices.Sorted(maps.Keys(d.agents)) {
			if err := d.fill(ctx, d.agents[place]); err != nil && ctx.Err() == nil {
				d.Log.Warn("an item could not be sent", "place", place, "err", err)
				break // the broker is away: each attempt takes its time
			}
		}
		if d.over() {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil // the views say what is missing
		case <-round.C:
		case r := <-returned:
			d.take(r)
			for more := true; more; {
				select {
				case r := <-returned:
					d.take(r)
				default:
					more = false
				}
			}
		}
	}
}

// meet learns of the agents. What an agent had that has started anew, or was silent, is dealt again.
func (d *dealer) meet(ctx context.Context) error {
	all, err := d.Bus.Agents(ctx)
	for _, now := range all {
		a, ok := d.agents[now.Place]
		if !ok {
			a = &agent{open: map[int]dealt{}, parts: map[int][]diff.OriginVerdict{}}
			d.agents[now.Place] = a
		}
		again := ok && a.Hello.Boot != "" && now.Hello.Boot != a.Hello.Boot || a.away && time.Since(now.Heard) <= Silence
		a.Agent = now
		a.away = d.silent(a)
		if a.refused == "" && !now.Heard.IsZero() && (now.Hello.Oldest > Protocol || now.Hello.Newest < OldestProtocol) {
			a.refused = fmt.Sprintf("its agent speaks versions %d to %d of the protocol, this program %d to %d (hint: install the same version of mirror on both)",
				now.Hello.Oldest, now.Hello.Newest, OldestProtocol, Protocol)
		}
		if again || a.away {
			d.recall(a, again)
		}
	}
	return err
}

func (d *dealer) silent(a *agent) bool { return time.Since(a.Heard) > Silence }

// recall takes back the parts that an agent has: another gets them, or the same one where every agent
// looks at every page, when it has started anew or is heard of again.
func (d *dealer) recall(a *agent, anew bool) {
	for part := range a.open {
		switch {
		case d.Mode == Spread:
			delete(a.open, part)
			if !d.done[part] {
				d.queue = append(d.queue, part)
			}
		case anew:
			delete(a.open, part)
			a.next = min(a.next, part)
		}
	}
}

// fill deals to an agent until it has enough.
func (d *dealer) fill(ctx context.Context, a *agent) error {
	for a.refused == "" && !a.Heard.IsZero() && !d.silent(a) && len(a.open) < window {
		part, ok := d.pick(a)
		if !ok {
			return nil
		}
		item := d.job.item(part)
		item.Place, item.Protocol = a.Place, min(Protocol, a.Hello.Newest)
		if end, ok := ctx.Deadline(); ok {
			item.Limit = max(time.Until(end), time.Second)
		}
		if err := d.Bus.Send(ctx, item); err != nil {
			if d.Mode == Spread {
				d.queue = append(d.queue, part)
			} else {
				a.next = min(a.next, part)
			}
			return err
		}
		d.copies[part]++
		a.open[part] = dealt{item, time.Now()}
	}
	return nil
}

// pick chooses the next part for an agent.
func (d *dealer) pick(a *agent) (part int, ok bool) {
	if d.Mode != Spread {
		for ; a.next < d.job.parts; a.next++ {
			_, open := a.open[a.next]
			if _, done := a.parts[a.next]; !done && !open {
				a.next++
				return a.next - 1, true
			}
		}
		return 0, false
	}
	for len(d.queue) > 0 {
		part, d.queue = d.queue[0], d.queue[1:]
		if !d.done[part] {
			return part, true
		}
	}
	if len(a.open) > 0 {
		return 0, false
	}
	return d.slowest()
}

// slowest is a part that another agent has had for much longer than a part takes, to be dealt to one that
// has nothing to do.
func (d *dealer) slowest() (part int, ok bool) {
	patience := hedgeAfter
	if d.count > 0 {
		patience = max(patience, 2*d.took/time.Duration(d.count))
	}
	oldest := time.Now().Add(-patience)
	for _, a := range d.agents {
		for p, out := range a.open {
			if !d.done[p] && d.copies[p] < mostCopies && out.at.Before(oldest) {
				part, ok, oldest = p, true, out.at
			}
		}
	}
	return part, ok
}

// take takes what came back. What was not dealt to this agent, or was done before, is dropped.
func (d *dealer) take(r Returned) {
	a, ok := d.agents[r.Place]
	if !ok {
		return
	}
	out, ok := a.open[r.Result.Part]
	if !ok {
		return
	}
	if r.Result.Refused != "" {
		a.refused = cut(r.Result.Refused)
		d.recall(a, false)
		return
	}
	verdicts, err := accept(out.Item, r.Result, out.at, r.At)
	if err != nil {
		a.refused = err.Error()
		d.Log.Warn("a result was refused", "place", r.Place, "err", err)
		d.recall(a, false)
		return
	}
	delete(a.open, r.Result.Part)
	d.took, d.count = d.took+r.At.Sub(out.at), d.count+1
	if d.Mode == Spread && d.done[r.Result.Part] {
		return // another agent was faster
	}
	d.done[r.Result.Part] = true
	a.parts[r.Result.Part] = verdicts
}

// over reports whether nothing more can come.
func (d *dealer) over() bool {
	if d.Mode == Spread && len(d.done) == d.job.parts {
		return true
	}
	for _, a := range d.agents {
		if d.Mode != Spread && len(a.parts) == d.job.parts || d.missing(a) != "" {
			continue
		}
		return false
	}
	return true
}

// missing is why an agent is not waited for any more, "" while it is.
func (d *dealer) missing(a *agent) string {
	switch {
	case a.refused != "":
		return a.refused
	case a.Heard.IsZero() && time.Since(d.began) > missAfter:
		return "its agent has not been heard of (hint: is mirror agent running there, and does it reach this machine?)"
	case !a.Heard.IsZero() && time.Since(a.Heard) > missAfter && time.Since(d.began) > missAfter:
		return fmt.Sprintf("its agent was last heard of at %s", a.Heard.UTC().Format(time.RFC3339))
	}
	return ""
}

// views tells what each place saw.
func (d *dealer) views() []diff.PlaceView {
	var all []diff.PlaceView
	for _, place := range slices.Sorted(maps.Keys(d.agents)) {
		a := d.agents[place]
		view := diff.PlaceView{Place: place, Missing: d.missing(a)}
		if view.Missing == "" && d.unfinished(a) {
			view.Missing = fmt.Sprintf("its agent did not finish within %s", d.Timeout)
		}
		if view.Missing != "" && len(a.parts) > 0 {
			view.Missing += fmt.Sprintf("; it looked at %d of %d parts", len(a.parts), d.job.parts)
		}
		for i := range d.job.base.Origins {
			var parts []diff.OriginVerdict
			for _, part := range slices.Sorted(maps.Keys(a.parts)) {
				parts = append(parts, a.parts[part][i])
			}
			if len(parts) > 0 {
				view.Origins = append(view.Origins, diff.JoinParts(parts))
			}
		}
		all = append(all, view)
	}
	return all
}

// unfinished reports whether an agent has not done what it was to do.
func (d *dealer) unfinished(a *agent) bool {
	if d.Mode != Spread {
		return len(a.parts) < d.job.parts
	}
	for part := range a.open {
		if !d.done[part] {
			return true
		}
	}
	return false
}

// unseen is how many pages no agent has looked at, where the agents share the pages.
func (d *dealer) unseen() (pages int) {
	if d.Mode != Spread {
		return 0
	}
	for part := range d.job.parts {
		if !d.done[part] {
			pages += len(share(d.job.pages, part, d.job.parts))
		}
	}
	return pages
}
