package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"mirror/targets"
)

// confirm looks at what was committed, from all sides, in what is left of the verify timeout.
func (p *publication) confirm(ctx context.Context) error {
	p.measure(ctx)
	return errors.Join(p.settle(ctx), p.verify(ctx, Live, max(moment, p.left())))
}

// moment is how long origins are looked at when nothing is left of the verify timeout, and how
// long destinations have at least to say what they store.
const moment = time.Second

// settle asks every destination what it now stores: a commit that was answered is not yet
// one that was done. Where the service has confirmed each write there is nothing to ask. One that does not say so in time is left to what its origin shows.
func (p *publication) settle(ctx context.Context) error {
	p.options.Events.Phase("read back")
	whole := ctx
	ctx, cancel := p.inTime(ctx)
	defer cancel()
	slow := make([]bool, len(p.dests))
	err := p.everywhere(func(i int, d targets.Destination, r *TargetReport) error {
		if r.Committed.IsZero() {
			return nil
		}
		if c, ok := d.Target.(targets.Confirmer); ok && c.Confirmed(p.swap(r)) {
			return nil
		}
		plan, err := d.Plan(ctx, p.rel)
		switch {
		case err != nil && p.options.Verifier != nil && errors.Is(context.Cause(ctx), errLate):
			slow[i] = true
			return nil
		case err != nil:
			return &Error{"read back", d.Name, err}
		}
		if needed(plan, p.rel.ID()) {
			return &Error{"read back", d.Name, fmt.Errorf("%w: it holds release %s, with %d files that differ", ErrNotHeld,
				plan.Live.Release.Short(), len(plan.Changes.Add)+len(plan.Changes.Change)+len(plan.Changes.Delete))}
		}
		return nil
	})
	for i, d := range p.dests {
		if slow[i] {
			p.report.Warn("%s did not report what it stores before the verify timeout", d.Name)
		}
	}
	if err != nil && whole.Err() == nil { // interrupted: what was committed stays
		p.report.Outcome = Diverged
	}
	return err
}

// inTime bounds a context by what is left of the verify timeout, where there is one.
func (p *publication) inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.options.VerifyTimeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, max(moment, p.left()), errLate)
}

var errLate = errors.New("the verify timeout is over")

// ErrNotHeld says that a destination answered a commit well and does not hold the release.
var ErrNotHeld = errors.New("the target does not store what was committed")

// verify watches the origins until they serve the release, for as long as patience lasts.
// good is the outcome if they do.
func (p *publication) verify(ctx context.Context, good Outcome, patience time.Duration) error {
	if p.report.Outcome != Diverged {
		p.report.Outcome = good
	}
	if p.options.Verifier == nil {
		return nil
	}
	p.options.Events.Phase("verify")
	v, err := p.options.Verifier.Await(ctx, p.rel, p.deleted(), patience)
	if err != nil {
		return fmt.Errorf("verify: %w", err) // interrupted: what was committed stays
	}
	p.report.Verdict = &v
	if !v.Agree() {
		p.report.Outcome = Diverged
	}
	return nil
}

// deleted lists the paths that should be gone: those that a destination deletes, and none keeps.
func (p *publication) deleted() []string {
	gone := map[string]bool{}
	for _, r := range p.report.Targets {
		for _, path := range r.Plan.Changes.Delete {
			gone[path] = true
		}
	}
	for _, r := range p.report.Targets {
		for _, path := range r.Plan.Kept {
			delete(gone, path)
		}
	}
	return slices.Sorted(maps.Keys(gone))
}
