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

// settle asks every destination what it now stores: a commit that was answered is not yet
// one that was done.
func (p *publication) settle(ctx context.Context) error {
	p.options.Events.Phase("read back")
	err := p.everywhere(func(i int, d targets.Destination, r *TargetReport) error {
		if r.Committed.IsZero() {
			return nil
		}
		plan, err := d.Plan(ctx, p.rel)
		if err != nil {
			return &Error{"read back", d.Name, err}
		}
		if needed(plan, p.rel.ID()) {
			return &Error{"read back", d.Name, fmt.Errorf("%w: it holds release %s, with %d files that differ", ErrNotHeld,
				plan.Live.Release.Short(), len(plan.Changes.Add)+len(plan.Changes.Change)+len(plan.Changes.Delete))}
		}
		return nil
	})
	if err != nil {
		p.report.Outcome = Diverged
	}
	return err
}

// ErrNotHeld says that a destination answered a commit well and does not hold the release.
var ErrNotHeld = errors.New("what was committed is not what is stored")

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

func (p *publication) deleted() []string {
	gone := map[string]bool{}
	for _, r := range p.report.Targets {
		for _, path := range r.Plan.Changes.Delete {
			gone[path] = true
		}
	}
	return slices.Sorted(maps.Keys(gone))
}
