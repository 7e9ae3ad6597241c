package workspace

import (
	"errors"
	"io/fs"

	"mirror/internal/planfile"
	"mirror/internal/publish"
	"mirror/reports"
	"mirror/site"
	"mirror/targets"
)

// reviewedPlan is a plan that a publish must not deviate from; nil for none.
type reviewedPlan struct {
	w       *Workspace
	plan    reports.Plan
	options planfile.Options
}

// readPlan reads the plan that a publish is to carry out.
func (w *Workspace) readPlan(name string, o planfile.Options) (*reviewedPlan, error) {
	if name == "" {
		return nil, nil
	}
	plan, err := planfile.Read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usage(err)
	case err != nil:
		return nil, err
	}
	return &reviewedPlan{w, plan, o}, nil
}

// review compares the plans that a publish has made with the one that was reviewed.
func (r *reviewedPlan) review(rel *site.Release, dests []targets.Destination) func(*publish.Report) error {
	if r == nil {
		return nil
	}
	return func(report *publish.Report) error {
		now := r.w.planDocument(report, dests)
		now.Content = contentOf(rel.Manifest, now)
		return planfile.Compare(r.plan, now, r.options)
	}
}
