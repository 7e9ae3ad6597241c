package publish

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"mirror/site"
	"mirror/targets"
)

// plan asks every destination what would change, and refuses what should not be done.
func (p *publication) plan(ctx context.Context) error {
	p.options.Events.Phase("plan")
	if len(p.rel.Manifest) == 0 {
		return site.ErrEmpty
	}
	var learning sync.WaitGroup
	if p.options.Learn != nil {
		learning.Go(func() { p.options.Order.Lags, p.options.Order.Spreads = p.options.Learn(ctx) })
	}
	err := p.everywhere(func(i int, d targets.Destination, r *TargetReport) error {
		plan, err := d.Plan(ctx, p.rel)
		if err != nil {
			return &Error{Phase: "plan", Destination: d.Name, Err: err}
		}
		r.Plan = plan
		return p.guard(d.Name, plan)
	})
	for _, r := range p.report.Targets {
		if p.report.Previous == site.None {
			p.report.Previous = r.Plan.Live.Release
		}
	}
	for _, r := range p.report.Targets {
		for _, warning := range r.Plan.Warnings {
			p.warn("%s: %s", r.Name, warning)
		}
	}
	p.rel.Sequence = p.nextSequence()
	learning.Wait()
	p.report.Schedule = p.options.Order.schedule(p.pendingDestinations(), p.options.Watcher != nil)
	return err
}

// maxSequence bounds what counts as a sequence. A beacon can be written by others.
const maxSequence = 1 << 53

// nextSequence is 1 + the highest that any destination knows.
func (p *publication) nextSequence() int64 {
	highest := int64(0)
	for _, r := range p.report.Targets {
		if s := r.Plan.Sequence; s < maxSequence {
			highest = max(highest, s)
		}
	}
	return highest + 1
}

// guard refuses a plan that deletes too much. Foreign files do not count: they are deleted only
// where that was asked for.
func (p *publication) guard(name string, plan targets.Plan) error {
	if p.options.MaxDelete == nil {
		return nil
	}
	c := plan.Changes
	deletes := max(0, len(c.Delete)-len(plan.Foreign)) // a place that is foreign as a whole deletes no file
	if err := p.options.MaxDelete(deletes, deletes+len(c.Change)+c.Same); err != nil {
		return &Error{Phase: "plan", Destination: name, Err: err}
	}
	return nil
}

// reviewed has the plans reviewed, given how they ended.
func (p *publication) reviewed(ctx context.Context, planned error) error {
	if p.options.Review == nil || len(p.rel.Manifest) == 0 || ctx.Err() != nil {
		return planned
	}
	return errors.Join(p.options.Review(p.report), planned)
}

// adopted decides on the destinations with foreign files, given how the plan ended.
func (p *publication) adopted(ctx context.Context, planned error) error {
	errs := []error{planned}
	for _, r := range p.report.Targets {
		foreign := r.Plan.Foreign
		if len(foreign) == 0 {
			continue
		}
		ok, err := p.options.Adoption.Allowed, error(nil)
		if ask := p.options.Adoption.Ask; !ok && ask != nil && errors.Join(errs...) == nil {
			ok, err = ask(ctx, r.Name, foreign)
		}
		switch {
		case err != nil:
		case ok:
			p.options.Events.Note(r.Name, fmt.Sprintf("adopted: %d files that no publish put there are deleted", len(foreign)))
			continue
		default:
			err = &ForeignError{foreign}
		}
		err = &Error{"plan", r.Name, err}
		r.Err = errors.Join(r.Err, err)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
