package main

import (
	"github.com/spf13/cobra"

	"mirror/internal/publish"
	"mirror/internal/workspace"
)

func (a *app) planCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what publish would do to each target; touch nothing",
		Long: "Scan the site, ask every target what it holds, and show what publish would do to each:\n" +
			"+ add, ~ change, - delete, ! delete although no publish put it there (publish asks, or needs --adopt; not counted for max_delete), = keep.\n\n" + exitCodes,
		Example: `  mirror plan
  mirror plan --target bucket --json | jq '.targets[].delete'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var report *publish.Report
			err := a.inWorkspace(func(w *workspace.Workspace) (err error) {
				report, err = w.PlanPublish(cmd.Context())
				return err
			})
			if report == nil {
				return err
			}
			doc := workspace.PlanDocument(report)
			doc.Ending = a.endingOf(cmd.Context(), err)
			return ending(err, a.show(doc))
		},
	}
	a.allFlag(cmd)
	return cmd
}
