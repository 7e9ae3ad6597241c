package main

import (
	"github.com/spf13/cobra"

	"mirror/internal/workspace"
	"mirror/reports"
)

func (a *app) planCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what publish would change on each target; change nothing",
		Long: "Scan the site, ask every target what it holds, and show what publish would do to each:\n" +
			"+ add, ~ change the content, m change only metadata (a header, a mode), - delete, = keep,\n" +
			"! delete although no publish put it there (publish asks, or needs --adopt; not counted for max_delete).\nWith --verbose it also shows how the content of changed files differs from what is live.\n\n" + exitCodes,
		Example: `  mirror plan
  mirror plan -v                        # with the diff of changed files
  mirror plan --target bucket --json | jq '.targets[].delete'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var doc *reports.Plan
			err := a.inWorkspace(func(w *workspace.Workspace) (err error) {
				doc, err = w.PlanPublish(cmd.Context(), workspace.PlanOptions{Contents: a.verbose})
				return err
			})
			if doc == nil {
				return err
			}
			doc.Ending = a.endingOf(cmd.Context(), err)
			return ending(err, a.show(doc))
		},
	}
	a.allFlag(cmd)
	return cmd
}
