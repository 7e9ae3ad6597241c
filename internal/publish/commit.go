package publish

import (
	"context"
	"errors"
	"sync"
	"time"

	"mirror/targets"
)

// rollbackTimeout bounds the undoing of a failed commit, which goes on after an interrupt.
const rollbackTimeout = 2 * time.Minute

// commit makes the release live as the schedule says: each step at its time, those behind the
// barrier when the rest was seen live. When one fails, those that moved, and those of which that is
// not known, are rolled back.
func (p *publication) commit(ctx context.Context) error {
	p.options.Events.Phase("commit")
	// Once for all commits, before the first of them: a slow disk must not come between the time at which
	// one is to begin and its beginning.
	if err := p.options.Journal.committing(namesOf(p.report.Schedule)); err != nil {
		return p.undo(ctx, err) // nothing was begun
	}
	timed, waiting := phases(p.report.Schedule)
	p.opened = time.Now()
	p.beginRescues(ctx)
	if err := p.commitAll(ctx, timed); err != nil {
		return p.undo(ctx, err)
	}
	if err := p.barrier(ctx, timed, waiting); err != nil {
		return p.undo(ctx, err)
	}
	if err := p.commitAll(ctx, waiting); err != nil {
		return p.undo(ctx, err)
	}
	p.report.Outcome = Live
	return nil
}

// phases splits a schedule into the steps at set times and those behind the barrier.
func phases(steps []Step) (timed, waiting []Step) {
	for _, s := range steps {
		if s.Barrier {
			waiting = append(waiting, s)
		} else {
			timed = append(timed, s)
		}
	}
	return timed, waiting
}

// commitAll commits each step at its time: all at once where the order is not listed. After
// a failure no further commit is begun; those under way are let end.
func (p *publication) commitAll(ctx context.Context, steps []Step) error {
	begin, giveUp := context.WithCancel(ctx)
	defer giveUp()
	if p.options.Order.Mode == Listed {
		for _, s := range steps {
			if err := p.step(ctx, s); err != nil {
				return err
			}
		}
		return nil
	}
	errs := make([]error, len(steps))
	var all sync.WaitGroup
	for i, s := range steps {
		if !p.due(begin, steps[:i], s) {
			errs[i] = begin.Err() // nothing was begun here
			break
		}
		all.Go(func() {
			if errs[i] = p.step(ctx, s); errs[i] != nil {
				giveUp()
			}
		})
	}
	all.Wait()
	return p.failures(errs...)
}

// step commits.
func (p *publication) step(ctx context.Context, s Step) error {
	r := p.reportOf(s.Name)
	p.commitOne(ctx, p.destinationOf(s), r)
	return r.Err
}

// mayHaveMoved reports whether, after a Commit that gave err, the release may be live.
func mayHaveMoved(err error) bool {
	return !errors.Is(err, targets.ErrConflict) && !errors.Is(err, targets.ErrNotStaged)
}

func (p *publication) commitOne(ctx context.Context, d targets.Destination, r *TargetReport) {
	if err := p.assure(ctx); err != nil {
		if errors.Is(err, targets.ErrConflict) {
			err = overtaken(err)
		}
		r.Err = &Error{"commit", d.Name, err} // not begun: nothing to undo
		return
	}
	r.Began = time.Now()
	err := d.Commit(targets.WithFence(ctx, p.assure), p.swap(r))
	r.Commit = time.Since(r.Began)
	switch {
	case errors.Is(err, targets.ErrConflict):
		r.Err = &Error{"commit", d.Name, overtaken(err)}
	case err != nil:
		r.Err = &Error{"commit", d.Name, err}
	default:
		r.Committed = time.Now()
		p.tellWarnings(d)
		p.purge(d.Name, r.Plan.Changes)
		p.rescueLost(d, r)
	}
}

// undo rolls back what was touched and says how it all ended: with nothing touched, as
// before (failed), all undone (rolled_back), or not (mixed).
func (p *publication) undo(ctx context.Context, why error) error {
	p.rescues.end()
	p.unwatch()
	touched := p.touched()
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

// touched lists the destinations at which the release may be live: their commit was begun
// and was not refused.
func (p *publication) touched() []int {
	var touched []int
	for i, r := range p.report.Targets {
		if !r.Began.IsZero() && mayHaveMoved(r.Err) {
			touched = append(touched, i)
		}
	}
	return touched
}

func (p *publication) undoOne(ctx context.Context, d targets.Destination, r *TargetReport) error {
	if err := d.Rollback(ctx, p.swap(r)); err != nil {
		err = &Error{"roll back", d.Name, err}
		r.Err = errors.Join(r.Err, err)
		return err
	}
	r.Committed = time.Time{}
	p.tellWarnings(d)
	p.purge(d.Name, r.Plan.Changes)
	p.options.Events.Note(d.Name, "rolled back to "+r.Plan.Live.Release.Short())
	return nil
}
