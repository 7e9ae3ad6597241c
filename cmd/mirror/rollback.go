package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"mirror/internal/publish"
	"mirror/internal/workspace"
)

func (a *app) rollbackCommand() *cobra.Command {
	var o workspace.RollbackOptions
	var list, places bool
	cmd := &cobra.Command{
		Use:   "rollback [ID]",
		Short: "Put an earlier release live everywhere (default: the one before); --list shows which",
		Long: `Put an earlier release live again on every target. As in a publish, it is staged on all targets
first, then committed in order, watched and measured. ID is the ID of a release or its first
digits. The content comes from the targets that still hold it (publish.keep_releases sets how
many releases they keep), and each file is verified; the site's folder is not needed.

` + exitCodes,
		Example: `  mirror rollback --list
  mirror rollback --list 3f9a1c
  mirror rollback
  mirror rollback 3f9a1c`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Release = args[0]
			}
			if cmd.Flags().Changed("verify-timeout") && o.VerifyTimeout <= 0 {
				return usage(fmt.Errorf("--verify-timeout %s: must be longer than 0s", o.VerifyTimeout))
			}
			if list {
				return a.listReleases(cmd.Context(), o.Release)
			}
			return a.showPublish(a.publishing(cmd.Context(), places, func(w *workspace.Workspace) (*publish.Report, error) {
				return w.Rollback(cmd.Context(), o)
			}))
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "list the releases that can be put live again (only those that begin with ID), and the targets that hold them")
	cmd.Flags().BoolVar(&places, "places", false, "watch the window from the places of the agents too (vantages in the config, mirror agent)")
	cmd.Flags().BoolVar(&o.NoVerify, "no-verify", false, "do not look at the live origins afterwards")
	cmd.Flags().DurationVar(&o.VerifyTimeout, "verify-timeout", 0, "how long the live origins may take to agree")
	a.allFlag(cmd)
	return cmd
}

// listReleases prints the releases that targets hold, or those of them whose ID begins with asked.
func (a *app) listReleases(ctx context.Context, asked string) error {
	return a.inWorkspace(func(w *workspace.Workspace) error {
		held, err := w.Held(ctx)
		waiting, failed := w.StagedReleases(ctx)
		if err = errors.Join(err, failed); asked != "" {
			if held, waiting, failed = workspace.OnlyReleases(asked, held, waiting); failed != nil {
				return errors.Join(err, failed)
			}
		}
		doc := w.ReleasesDocument(held, waiting)
		doc.Ending = a.endingOf(ctx, err)
		return ending(err, a.show(doc))
	})
}
