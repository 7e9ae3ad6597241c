package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mirror/internal/wait"
	"mirror/targets"
)

// rescueTimeout bounds a rescue, which goes on after an interrupt.
const rescueTimeout = time.Minute

// beginRescues allows rescues until they are ended, in what is left of the verify timeout.
func (p *publication) beginRescues(ctx context.Context) {
	if p.seen != nil {
		p.rescues = newRescues(ctx, p.left())
	}
}

// rescueLost looks after a destination that was committed.
func (p *publication) rescueLost(d targets.Destination, r *TargetReport) {
	rescuer, ok := d.Target.(targets.Rescuer)
	if !ok || d.Origin == nil || p.rescues == nil {
		return
	}
	if after := rescuer.RescueAfter(p.slowest(d.Name)); after > 0 {
		p.rescues.begin(func(ctx context.Context) { p.rescue(ctx, d, r, after) })
	}
}

// rescue commits the release again where the origin does not show it for so long. An origin that fails
// for good is left alone: no deployment helps it.
func (p *publication) rescue(ctx context.Context, d targets.Destination, r *TargetReport, after time.Duration) {
	if wait.Sleep(ctx, time.Until(r.Committed.Add(after))) != nil {
		return
	}
	glance, cancel := context.WithTimeout(ctx, moment)
	defer cancel()
	if late := p.seen.Await(glance, []string{d.Name}); len(late) == 0 || glance.Err() == nil || ctx.Err() != nil {
		return
	}
	waited := time.Since(r.Committed).Round(time.Second)
	switch err := Rescue(ctx, d, p.swap(r), 0); {
	case NeedsNoRescue(err):
	case err != nil:
		p.warn("%s was not seen live for %s, and could not be committed again: %v", d.Name, waited, err)
	default:
		r.Rescued = time.Now()
		p.warn("%s was not seen live for %s; the same content was committed again, because the host may have lost the deployment", d.Name, waited)
		p.options.Events.Note(d.Name, fmt.Sprintf("not seen live for %s; committed the same content again", waited))
	}
}

func (p *publication) slowest(destination string) time.Duration {
	if p.options.Slowest == nil {
		return 0
	}
	return p.options.Slowest(destination)
}

// rescueBehind commits the release again where it was committed by an earlier publish, longer ago than a
// deployment takes, and the origin still serves another one. Then it looks at the origins again. err is
// how the first look ended.
func (p *publication) rescueBehind(ctx context.Context, err error) error {
	if err != nil || p.report.Verdict == nil || p.report.Outcome != Diverged {
		return err
	}
	rescued := false
	for i, d := range p.dests {
		rescuer, ok := d.Target.(targets.Rescuer)
		if !ok || !p.report.Verdict.Behind(d.Name) {
			continue
		}
		after := rescuer.RescueAfter(p.slowest(d.Name))
		if after <= 0 {
			continue
		}
		err := Rescue(ctx, d, p.swap(p.report.Targets[i]), after)
		switch {
		case NeedsNoRescue(err):
		case err != nil:
			p.warn("%s could not be committed again: %v", d.Name, err)
		default:
			rescued, p.report.Targets[i].Rescued = true, time.Now()
			p.warn("%s was not live %s after its commit; the same content was committed again, because the host may have lost the deployment", d.Name, after)
		}
	}
	if !rescued {
		return nil
	}
	p.report.Outcome = Live
	return p.verify(ctx, Live, p.options.VerifyTimeout)
}

// NeedsNoRescue reports whether an error of Rescue says that there is nothing to rescue, or that another
// publisher is at work.
func NeedsNoRescue(err error) bool {
	return errors.Is(err, targets.ErrRescued) || errors.Is(err, targets.ErrTooYoung) ||
		errors.Is(err, targets.ErrConflict) || errors.Is(err, targets.ErrReserved)
}

// Rescue makes the release swap.To, which must be live and older than age, live again at a destination under
// another revision, while no other publisher can commit there. It goes on when ctx ends.
func Rescue(ctx context.Context, d targets.Destination, swap targets.Swap, age time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rescueTimeout)
	defer cancel()
	live, err := d.Live(ctx)
	if err != nil {
		return err
	}
	if live.Release != swap.To {
		return fmt.Errorf("%w: release %s is live", targets.ErrConflict, live.Release.Short())
	}
	swap.From = live
	if guard, ok := targets.As[targets.Guard](ctx, d.Target); ok {
		r, err := guard.Reserve(ctx, swap)
		switch {
		case err == nil:
			defer r.Release(ctx) // where the rescue has used it up, it does nothing
		case !errors.Is(err, targets.ErrUnreservable):
			return err
		}
	}
	return d.Target.(targets.Rescuer).Rescue(ctx, swap, age)
}
