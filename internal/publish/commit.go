package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"mirror/targets"
)

// rollbackTimeout bounds the undoing of a failed commit, which goes on after an interrupt.
const rollbackTimeout = 2 * time.Minute

// commit makes the release live, rank after rank. When a destination fails, those that
// moved, and those of which that is not known, are rolled back.
func (p *publication) commit(ctx context.Context) error {
	p.options.Events.Phase("commit")
	var touched []int
	for _, rank := range p.ranks() {
		if err := ctx.Err(); err != nil {
			return p.undo(ctx, touched, err)
		}
		p.commitRank(ctx, rank)
		for _, i := range rank {
			if mayHaveMoved(p.report.Targets[i].Err) {
				touched = append(touched, i)
			}
		}
		if err := p.failures(); err != nil {
			return p.undo(ctx, touched, err)
		}
	}
	p.report.Outcome = Live
	return nil
}

// mayHaveMoved reports whether, after a Commit that gave err, the release may be live.
func mayHaveMoved(err error) bool {
	return !errors.Is(err, targets.ErrConflict) && !errors.Is(err, targets.ErrNotStaged)
}

// ranks groups the destinations that need a commit; a rank is committed at once. The first
// rank is a single destination that can compare-and-swap: of two publishers at once, the
// one that loses there has changed nothing anywhere.
func (p *publication) ranks() [][]int {
	var pending []int
	for i, r := range p.report.Targets {
		if needed(r.Plan, p.rel.ID()) {
			pending = append(pending, i)
		}
	}
	if len(p.options.Order) > 0 {
		return p.listed(pending)
	}
	gate := slices.IndexFunc(pending, func(i int) bool { return p.dests[i].Kind != "oci" })
	if gate < 0 {
		gate = 0
	}
	first := pending[gate]
	rest := slices.Delete(pending, gate, gate+1)
	if len(rest) == 0 {
		return [][]int{{first}}
	}
	return [][]int{{first}, rest}
}

func (p *publication) listed(pending []int) [][]int {
	place := func(i int) int { return slices.Index(p.options.Order, p.dests[i].Name) }
	slices.SortStableFunc(pending, func(a, b int) int { return place(a) - place(b) })
	var ranks [][]int
	for _, i := range pending {
		ranks = append(ranks, []int{i})
	}
	return ranks
}

func (p *publication) commitRank(ctx context.Context, rank []int) {
	var all sync.WaitGroup
	for _, i := range rank {
		all.Go(func() { p.commitOne(ctx, p.dests[i], p.report.Targets[i]) })
	}
	all.Wait()
}

func (p *publication) commitOne(ctx context.Context, d targets.Destination, r *TargetReport) {
	if err := p.options.Journal.committing(d.Name); err != nil {
		r.Err = errors.Join(targets.ErrNotStaged, err) // not begun: nothing to undo
		return
	}
	began := time.Now()
	err := d.Commit(ctx, p.swap(r))
	r.Commit = time.Since(began)
	switch {
	case errors.Is(err, targets.ErrConflict):
		r.Err = &Error{"commit", d.Name, fmt.Errorf("%w (hint: another publish was there first; look at what is live, then publish again)", err)}
	case err != nil:
		r.Err = &Error{"commit", d.Name, err}
	default:
		r.Committed = time.Now()
	}
}

// undo rolls back the touched destinations and says how it all ended: with nothing
// touched, as before (failed), all undone (rolled_back), or not (mixed).
func (p *publication) undo(ctx context.Context, touched []int, why error) error {
	if len(touched) == 0 {
		p.report.Outcome = Failed
		return why
	}
	p.options.Events.Phase("roll back")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	errs := make([]error, len(touched))
	var all sync.WaitGroup
	for n, i := range touched {
		all.Go(func() { errs[n] = p.undoOne(ctx, p.dests[i], p.report.Targets[i]) })
	}
	all.Wait()
	p.report.Outcome = RolledBack
	if err := errors.Join(errs...); err != nil {
		p.report.Outcome = Mixed
		return errors.Join(why, err)
	}
	return why
}

func (p *publication) undoOne(ctx context.Context, d targets.Destination, r *TargetReport) error {
	if err := d.Rollback(ctx, p.swap(r)); err != nil {
		err = &Error{"roll back", d.Name, err}
		r.Err = errors.Join(r.Err, err)
		return err
	}
	r.Committed = time.Time{}
	p.options.Events.Note(d.Name, "rolled back to "+r.Plan.Live.Release.Short())
	return nil
}

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
