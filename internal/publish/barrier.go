package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mirror/internal/wait"
	"mirror/targets"
)

// watch begins to watch the origins, before anything can change.
func (p *publication) watch(ctx context.Context) (err error) {
	if p.options.Watcher == nil {
		return nil
	}
	plans := map[string]targets.Plan{}
	for _, r := range p.report.Targets {
		plans[r.Name] = r.Plan
	}
	began := time.Now()
	p.seen, err = p.options.Watcher.Watch(ctx, p.rel, plans)
	p.spent = time.Since(began)
	return err
}

// opening is when the first commit began, zero before.
func (p *publication) opening() (first time.Time) {
	for _, r := range p.report.Targets {
		if !r.Began.IsZero() && (first.IsZero() || r.Began.Before(first)) {
			first = r.Began
		}
	}
	return first
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

// sleep waits for a step's time, counted from the start of the first commit. It reports
// false if ctx ends before.
func (p *publication) sleep(ctx context.Context, s Step) bool {
	if p.opened.IsZero() || s.After == 0 {
		return ctx.Err() == nil
	}
	after := min(s.After, time.Duration(latest*float64(p.options.VerifyTimeout-p.spent)))
	return wait.Sleep(ctx, after-time.Since(p.opened)) == nil
}

// barrier waits until the steps before it were seen live. When its time is over it goes
// on, or says who is late, as configured.
func (p *publication) barrier(ctx context.Context, before, waiting []Step) error {
	if len(waiting) == 0 || p.seen == nil {
		return nil
	}
	p.options.Events.Phase("barrier")
	var names []string
	for _, s := range before {
		names = append(names, s.Name)
	}
	wait := min(p.options.Order.Barrier, p.left())
	patient, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	late := p.seen.Await(patient, names)
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
		p.options.Events.Note(name, fmt.Sprintf("not seen live within %s; going on", wait))
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
	p.report.Window = &window
}

// unwatch ends a watch whose result nobody wants any more.
func (p *publication) unwatch() {
	if p.seen == nil {
		return
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	p.seen.Settle(over)
}
