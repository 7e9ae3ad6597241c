// Package publish takes one release to many destinations: plan all, stage everywhere, reserve
// everywhere, then commit everywhere, else roll back what moved. Nothing that visitors see changes
// before every destination holds all of the release and no other publisher can come in between.
package publish

import (
	"context"

	"mirror/site"
	"mirror/targets"
)

// Run publishes rel to all destinations. The report is whole whatever the error is; the
// error says, destination by destination, why the outcome is no better.
func Run(ctx context.Context, rel *site.Release, dests []targets.Destination, o Options) (*Report, error) {
	p := newPublication(rel, dests, o)
	return p.report, p.run(ctx)
}

// Plan asks every destination what a publish of rel would do, and changes nothing.
func Plan(ctx context.Context, rel *site.Release, dests []targets.Destination, o Options) (*Report, error) {
	p := newPublication(rel, dests, o)
	return p.report, p.plan(ctx)
}

// Stage stores rel at all destinations and makes nothing live: a later Run of the same release has
// nothing to send. Foreign files are not asked about before something would delete them.
func Stage(ctx context.Context, rel *site.Release, dests []targets.Destination, o Options) (*Report, error) {
	p := newPublication(rel, dests, o)
	p.unseen = true
	return p.report, p.stageOnly(ctx)
}

func (p *publication) stageOnly(ctx context.Context) error {
	if err := p.reviewed(ctx, p.plan(ctx)); err != nil {
		return err
	}
	if !p.pending() {
		p.report.Outcome = Unchanged
		return nil
	}
	err := p.stage(ctx)
	if err == nil {
		p.report.Outcome = Staged
	}
	return err
}

func (p *publication) run(ctx context.Context) error {
	if err := p.adopted(ctx, p.reviewed(ctx, p.plan(ctx))); err != nil {
		return err
	}
	p.beginPurges()
	defer p.purged(ctx)
	if !p.pending() {
		p.noted(p.options.Journal.unchanged(p.rel))
		return p.rescueBehind(ctx, p.unchanged(ctx))
	}
	if err := p.options.Journal.begin(p.rel, p.swaps()); err != nil {
		return err
	}
	err := p.turn(ctx)
	p.noted(p.options.Journal.end(p.report.Outcome))
	if err != nil {
		return err
	}
	return p.confirm(ctx)
}

// noted warns where the end of the publish was not written to the journal.
func (p *publication) noted(err error) {
	if err != nil {
		p.warn("the end of the publish was not written to the journal, so the next publish will treat it as interrupted: %v", err)
	}
}

// turn takes the release from the plans to being live everywhere.
func (p *publication) turn(ctx context.Context) error {
	defer p.release(ctx)
	for _, phase := range []func(context.Context) error{p.stage, p.reserve, p.watch, p.commit} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return nil
}
