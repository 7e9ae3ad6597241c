package dashboard

import (
	"context"
	"mirror/diff"
	"mirror/internal/summary"
	"mirror/reports"
)

// Withheld stands in place of what a command, a build or a target said, for those who have not
// shown the token.
const Withheld = "shown only to those who log in with the daemon's token; mirror history shows it too"

// withholding reads documents that hold what commands, builds and targets said only for
// requests that may see it.
type withholding struct{ summary.Reader }

func withheld(ctx context.Context, texts ...*string) {
	if isShown(ctx) {
		return
	}
	for _, text := range texts {
		if *text != "" {
			*text = Withheld
		}
	}
}

// Overview tells how things stand.
func (r withholding) Overview(ctx context.Context, named []diff.OriginState, days int) (reports.Overview, error) {
	o, err := r.Reader.Overview(ctx, named, days)
	for _, check := range []*reports.HistoryCheck{o.Check, o.Latest} {
		if check != nil {
			withheld(ctx, &check.Error)
		}
	}
	return o, err
}

// LastCheck returns the latest check.
func (r withholding) LastCheck(ctx context.Context) (*reports.HistoryCheck, error) {
	check, err := r.Reader.LastCheck(ctx)
	if check != nil {
		withheld(ctx, &check.Error)
	}
	return check, err
}

// Checks lists checks.
func (r withholding) Checks(ctx context.Context, before int64, limit int) ([]reports.HistoryCheck, error) {
	all, err := r.Reader.Checks(ctx, before, limit)
	for i := range all {
		withheld(ctx, &all[i].Error)
	}
	return all, err
}

// Publishes lists publishes.
func (r withholding) Publishes(ctx context.Context, before int64, limit int) ([]reports.PeriodPublish, error) {
	all, err := r.Reader.Publishes(ctx, before, limit)
	for i := range all {
		withheldPublish(ctx, &all[i])
	}
	return all, err
}

// withheldPublish withholds what the targets of a publish said.
func withheldPublish(ctx context.Context, p *reports.PeriodPublish) {
	withheld(ctx, &p.Error)
	for i := range p.Targets {
		withheld(ctx, &p.Targets[i].Error)
	}
}

// Publish returns one publish.
func (r withholding) Publish(ctx context.Context, id int64) (reports.PeriodPublish, bool, error) {
	p, ok, err := r.Reader.Publish(ctx, id)
	withheldPublish(ctx, &p)
	return p, ok, err
}

// Runs lists runs of jobs.
func (r withholding) Runs(ctx context.Context, f summary.RunFilter) ([]reports.LoggedRun, error) {
	all, err := r.Reader.Runs(ctx, f)
	withheldRuns(ctx, all)
	return all, err
}

// JudgedRuns lists runs of jobs with what their checks found.
func (r withholding) JudgedRuns(ctx context.Context, f summary.RunFilter) ([]reports.LoggedRun, error) {
	all, err := r.Reader.JudgedRuns(ctx, f)
	withheldRuns(ctx, all)
	return all, err
}

func withheldRuns(ctx context.Context, all []reports.LoggedRun) {
	for i := range all {
		withheld(ctx, &all[i].Error)
		if !isShown(ctx) {
			all[i].Log = ""
		}
	}
}
