package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/targets"
)

// watch begins to watch the origins, before anything can change.
func (p *publication) watch(ctx context.Context) (err error) {
	if p.options.Watcher == nil {
		return nil
	}
	plans := map[string]targets.Plan{}
	for i, r := range p.report.Targets {
		plans[r.Name] = unfilled(p.dests[i], r.Plan, p.swap(r))
	}
	began := time.Now()
	p.seen, err = p.options.Watcher.Watch(ctx, p.rel, plans)
	p.spent = time.Since(began)
	return err
}

// unfilled is a plan without what the target has put in place already.
func unfilled(d targets.Destination, plan targets.Plan, s targets.Swap) targets.Plan {
	f, ok := d.Target.(targets.Prefiller)
	if !ok {
		return plan
	}
	there := map[string]bool{}
	for _, path := range f.Prefilled(s) {
		there[path] = true
	}
	plan.Changes.Add = slices.DeleteFunc(slices.Clone(plan.Changes.Add), func(path string) bool { return there[path] })
	return plan
}

// left is what is left of the verify timeout, which bounds everything that a publish waits
// for from the start of its first commit on. What it took to see what was live before is a part.
func (p *publication) left() time.Duration {
	left := p.options.VerifyTimeout - p.spent
	if !p.opened.IsZero() {
		left -= time.Since(p.opened)
	}
	return max(0, left)
}

// latest is the part of the verify timeout after which no commit waits for its time any more,
// so that what it makes live can still be seen.
const latest = 0.75

// due waits until it is time for a step: so long after the first commit began as the learnt lags say or,
// where that is sooner, when all steps before it were seen live, so that there is nothing left to
// wait for. It reports false if ctx ends before.
func (p *publication) due(ctx context.Context, before []Step, s Step) bool {
	if len(before) == 0 {
		return ctx.Err() == nil
	}
	after := time.Until(p.opened.Add(p.inBounds(s.After) - p.inBounds(before[0].After)))
	if after <= 0 {
		return ctx.Err() == nil
	}
	waiting, cancel := context.WithTimeout(ctx, after)
	defer cancel()
	if !p.visible(before) || len(p.seen.Await(waiting, namesOf(before))) > 0 {
		<-waiting.Done()
	}
	return ctx.Err() == nil
}

// visible reports whether it can be seen of all of the steps when they are live.
func (p *publication) visible(steps []Step) bool {
	return p.seen != nil && !slices.ContainsFunc(steps, func(s Step) bool { return p.destinationOf(s).Origin == nil })
}

// inBounds bounds the time after which a commit begins.
func (p *publication) inBounds(after time.Duration) time.Duration {
	if p.options.VerifyTimeout == 0 {
		return after
	}
	return min(after, time.Duration(latest*float64(p.options.VerifyTimeout-p.spent)))
}

func namesOf(steps []Step) []string {
	var names []string
	for _, s := range steps {
		names = append(names, s.Name)
	}
	return names
}

// barrier waits until the steps before it were seen live. When its time is over it goes
// on, or says who is late, as configured.
func (p *publication) barrier(ctx context.Context, before, waiting []Step) error {
	if len(waiting) == 0 || p.seen == nil {
		return nil
	}
	p.options.Events.Phase("barrier")
	wait := min(p.options.Order.Barrier, p.left())
	patient, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	began := time.Now()
	late := p.seen.Await(patient, namesOf(before))
	wait = min(wait, time.Since(began)).Round(time.Millisecond) // less where waiting could not help
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case len(late) == 0:
		return nil
	case p.options.Order.LateRollsBack:
		return fmt.Errorf("%w within %s: %s (hint: publish.barrier and publish.verify_timeout set how long to wait, publish.on_late what then)",
			ErrLate, wait, strings.Join(late, ", "))
	}
	for _, name := range late {
		p.options.Events.Note(name, fmt.Sprintf("not seen live within %s; continuing", wait))
	}
	return nil
}

// ErrLate says that the slow origins were not seen live before the barrier's time was over.
var ErrLate = errors.New("not seen live")

// measure watches until every page of every origin is confirmed, for as long as is left.
func (p *publication) measure(ctx context.Context) {
	if p.seen == nil {
		return
	}
	p.options.Events.Phase("watch")
	ctx, cancel := context.WithTimeout(ctx, p.left())
	defer cancel()
	window := p.seen.Settle(ctx)
	p.rescues.end()
	p.report.Window = &window
}

// unwatch ends a watch whose result is no longer needed.
func (p *publication) unwatch() {
	if p.seen == nil {
		return
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	p.seen.Settle(over)
}
