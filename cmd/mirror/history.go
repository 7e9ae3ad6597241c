package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"mirror/internal/summary"
	"mirror/internal/workspace"
	"mirror/reports"
)

func (a *app) historyCommand() *cobra.Command {
	since := instant{}
	limit := 20
	cmd := &cobra.Command{
		Use:   "history [all|releases|publishes|checks|episodes|runs]",
		Short: "List releases, publishes, checks and windows",
		Long: `List what was published and checked from this state folder, the newest first. Without an
argument: publishes and checks in one list, in which consecutive checks with the same result
are one row. Or one of:

  releases    releases that went live from here
  publishes   publishes, with their windows
  checks      every check, those of a part of the site included
  episodes    periods of drift: origin, kind, first and last time
  runs        runs of the daemon's jobs
  all         all of these

` + exitCodes,
		Example: `  mirror history
  mirror history episodes --since 4w
  mirror history checks --limit 0 --json | jq '.checks[] | [.started, .state] | @tsv' -r`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"all", "releases", "publishes", "checks", "episodes", "runs"},
		RunE: func(cmd *cobra.Command, args []string) error {
			part := "story"
			if len(args) > 0 {
				part = args[0]
			}
			doc, err := a.history(cmd.Context(), part, &since, limit)
			if err != nil {
				return err
			}
			doc.Warnings = a.warnings.Take()
			return a.show(doc)
		},
	}
	cmd.Flags().Var(&since, "since", "from how long ago, as in 12h, 7d or 4w, or from a date (UTC) (default all)")
	cmd.Flags().IntVar(&limit, "limit", limit, "list `n` of a kind at most; 0 for all")
	return cmd
}

// storyChecks is how many checks a row of the story may take together.
const storyChecks = 100

// history lists a part of the history.
func (a *app) history(ctx context.Context, part string, since *instant, limit int) (doc reports.History, err error) {
	if limit < 0 {
		return doc, usage(fmt.Errorf("--limit %d: want a number of rows, 0 for all", limit))
	}
	if len(a.only) > 0 {
		return doc, usage(errors.New("--target cannot be used with history, which covers all origins"))
	}
	from, err := since.at(time.Now())
	if err != nil {
		return doc, usage(err)
	}
	all, rows := part == "all", limit
	parts := summary.Parts{
		Releases: all || part == "releases", Publishes: all || part == "publishes", Checks: all || part == "checks",
		Episodes: all || part == "episodes", Runs: all || part == "runs",
	}
	if part == "story" {
		parts.Publishes, parts.Checks = true, true
		if !a.json {
			rows *= storyChecks
		}
	}
	err = a.inWorkspace(func(w *workspace.Workspace) (err error) {
		doc, err = w.ListHistory(ctx, parts, from, rows)
		return err
	})
	doc.Limit = limit
	return doc, err
}
