package main

import (
	"github.com/spf13/cobra"

	"mirror/internal/output"
	"mirror/internal/workspace"
	"mirror/reports"
)

func (a *app) planCommand() *cobra.Command {
	var file string
	var release string
	var exitCode bool
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what publish would change on each target; change nothing",
		Long: "Scan the site, ask every target what it holds, and show what publish would do to each:\n" +
			"+ add, ~ change the content, m change only metadata (a header, a mode), - delete, = keep,\n" +
			"! delete although no publish put it there (publish asks, or needs --adopt; not counted for max_delete).\nWith --verbose it also shows how the content of changed files differs from what is live.\n\n" +
			"--out writes the plan to a file, to be reviewed; publish --plan carries out exactly that plan,\nor refuses because something has changed since.\n\n" + exitCodes,
		Example: `  mirror plan
  mirror plan -v                        # with the diff of changed files
  mirror plan --target bucket --json | jq '.targets[].delete'
  mirror plan --exit-code               # 0: nothing to publish, 1: changes
  mirror plan --out plan.json           # then: mirror publish --plan plan.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := output.ValidatePlanFile(file); err != nil {
				return usage(err)
			}
			var doc *reports.Plan
			err := a.inWorkspace(func(w *workspace.Workspace) (err error) {
				doc, err = w.PlanPublish(cmd.Context(), workspace.PlanOptions{Contents: a.verbose, Digests: file != "", File: file, Release: release})
				return err
			})
			if doc == nil {
				return err
			}
			if err == nil && file != "" {
				doc.File = file
				err = output.WritePlan(file, *doc, a.secrets)
			}
			doc.Ending = a.endingOf(cmd.Context(), err)
			if err == nil && exitCode && doc.Changes() {
				err = &exit{exitDisagree, nil}
			}
			return ending(err, a.show(doc))
		},
	}
	cmd.Flags().StringVar(&file, "out", "", "write the plan to this `file`, for publish --plan")
	_ = cmd.MarkFlagFilename("out", "json") // fails only for an unknown flag
	cmd.Flags().StringVar(&release, "release", "", "plan for this staged release in place of the site, by the first digits of its `ID`")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 if publish would change anything, with 0 if not")
	a.allFlag(cmd)
	return cmd
}
