package main

import (
	"github.com/spf13/cobra"

	"mirror/internal/publish"
	"mirror/reports"
)

func (a *app) planCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "plan",
		Short: "Show what publish would do to each target; touch nothing",
		Long: "Scan the site, ask every target what it holds, and show what publish would do to each:\n" +
			"+ add, ~ change, - delete, ! delete although no publish put it there (publish --adopt), = keep.\n\n" + exitCodes,
		Example: `  mirror plan
  mirror plan --target bucket --json | jq '.targets[].delete'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := a.open()
			if err != nil {
				return err
			}
			d := a.display()
			report, err := w.plan(cmd.Context(), d)
			d.Close()
			if report == nil {
				return err
			}
			doc := planDocument(report)
			doc.Ending = w.ending(cmd.Context(), err)
			return ending(err, a.show(doc))
		},
	}
}

const planSchema = "mirror.plan/v1"

func planDocument(r *publish.Report) reports.Plan {
	p := reports.Plan{Schema: planSchema, Release: r.Release, Targets: []reports.PlanTarget{}, Order: []reports.PlanStep{}}
	for _, t := range r.Targets {
		p.Targets = append(p.Targets, reports.PlanTarget{
			Name: t.Name, Type: t.Kind, From: t.Plan.Live.Release, Add: list(t.Plan.Changes.Add), Change: list(t.Plan.Changes.Change),
			Delete: list(t.Plan.Changes.Delete), Same: t.Plan.Changes.Same, Bytes: t.Plan.Bytes, Error: text(t.Err),
			Foreign: list(t.Plan.Foreign), Kept: list(t.Plan.Kept),
		})
	}
	for _, s := range r.Schedule {
		p.Order = append(p.Order, reports.PlanStep{Name: s.Name, After: reports.Millis(s.After), Barrier: s.Barrier, Reason: s.Reason})
	}
	return p
}

// list makes an empty list of none, which JSON shows as [].
func list(paths []string) []string {
	if paths == nil {
		return []string{}
	}
	return paths
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
