package publish

import (
	"context"
	"time"
)

// purgeGrace is how long purges have at least, when nothing is left of the verify timeout or the publish was
// interrupted and rolled back.
const purgeGrace = 10 * time.Second

// beginPurges prepares for what changes.
func (p *publication) beginPurges() {
	if p.options.Caches != nil {
		p.options.Caches.Start(p.rel.ID())
	}
}

// purged waits for the purges. That one failed is a warning: the origins were looked at, and decide the outcome.
func (p *publication) purged(ctx context.Context) {
	if p.options.Caches == nil || p.purgesEnded {
		return
	}
	p.purgesEnded = true
	if p.report.Outcome == RolledBack || p.report.Outcome == Mixed {
		ctx = context.WithoutCancel(ctx)
	}
	p.options.Events.Phase("purge")
	ctx, cancel := context.WithTimeoutCause(ctx, max(purgeGrace, p.left()), errLate)
	defer cancel()
	p.report.Purges = p.options.Caches.Finish(ctx)
	for i := range p.report.Purges {
		r := &p.report.Purges[i]
		r.Visible = visible(*r, p.report.Window)
		if r.Err != nil {
			p.warn("purge of the caches before %s: %v", r.Origin, r.Err)
		}
	}
}

// unchanged looks at the origins where nothing is to be done. Where caches still answer with an earlier release, as
// after a purge that failed, they are purged and looked at again.
func (p *publication) unchanged(ctx context.Context) error {
	err := p.verify(ctx, Unchanged, 0)
	p.purged(ctx)
	if err != nil || len(p.report.Purges) == 0 || p.report.Outcome != Diverged {
		return err
	}
	p.report.Outcome = Unchanged
	return p.verify(ctx, Unchanged, secondLook)
}

// secondLook is for how long origins are looked at after their caches were purged, where nothing else was to be done.
const secondLook = 10 * time.Second
