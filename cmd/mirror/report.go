package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"mirror/internal/workspace"
	"mirror/reports"
	"mirror/reports/formats"
)

func (a *app) reportCommand() *cobra.Command {
	since, until := instant{"7d"}, instant{}
	var out *outputFlags[reports.Period]
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Report drift over a period, in several formats",
		Long: `Summarize the history of a period: the share of time for which each origin agreed, which
drift there was and how long it lasted, the windows of the publishes, the slowest pages,
when certificates expire, and the state at the end. Days are UTC days.

The history has what was published and checked from this state folder, by commands and by
the daemon. Nothing is fetched.

` + exitCodes,
		Example: `  mirror report
  mirror report --since 4w --out html=report.html
  mirror report --since 2026-01-01 --until 2026-02-01 --format markdown
  mirror report --json | jq '.origins[] | {name, agreed: .agreement.by_time}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.validate(); err != nil {
				return err
			}
			p, err := a.period(cmd.Context(), &since, &until)
			if err != nil {
				return err
			}
			p.Warnings = a.warnings.Take()
			return out.write(p)
		},
	}
	out = outputFlagsOf(a, cmd, formats.Period())
	cmd.Flags().Var(&since, "since", "from how long ago, as in 12h, 7d or 4w, or from a date (UTC)")
	cmd.Flags().Var(&until, "until", "up to that; as for --since (default now)")
	return cmd
}

// period works the report out.
func (a *app) period(ctx context.Context, since, until *instant) (p reports.Period, err error) {
	if len(a.only) > 0 {
		return p, usage(errors.New("--target cannot be used with report, which covers all origins"))
	}
	now := time.Now()
	from, err := since.at(now)
	if err != nil {
		return p, usage(err)
	}
	to, err := until.at(now)
	if err != nil {
		return p, usage(err)
	}
	if to.IsZero() {
		to = now
	}
	if !from.Before(to) {
		return p, usage(fmt.Errorf("--since %s is not before --until %s", since.text, until.text))
	}
	err = a.inWorkspace(func(w *workspace.Workspace) (err error) {
		p, err = w.Report(ctx, from, to)
		return err
	})
	return p, err
}
