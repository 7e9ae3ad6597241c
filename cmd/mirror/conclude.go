package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"mirror/internal/output"
	"mirror/reports"
)

// conclude says how the run of a command ended and returns its exit code: an error goes to
// stderr, and with --json to stdout as well, in a document, where the command has not printed
// its own.
func (a *app) conclude(ctx context.Context, cmd *cobra.Command, args []string, err error) int {
	code, err := outcome(ctx, err)
	if code != exitAgree && !a.documented && a.wantsJSON(cmd, args) {
		e := reports.Ending{Error: text(err), Warnings: a.warnings.Take()}
		if doc := reports.Failed(cmd.CommandPath(), e); doc != nil {
			if err := reports.JSON(a.stdout, doc); err != nil {
				a.warnings.Add("%v", err)
			}
		}
	}
	for _, warning := range a.warnings.Take() {
		fmt.Fprintf(a.stderr, "%s  %s\n", a.console().Paint("\x1b[33m", "warning"), reports.Clean(warning))
	}
	output.Failure(a.stderr, a.console().Paint("\x1b[31m", "error:"), err, a.getenv, a.secrets)
	return code
}

// endingOf says in a document how a command ended.
func (a *app) endingOf(ctx context.Context, err error) reports.Ending {
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", errInterrupted, err)
	}
	return reports.Ending{Error: text(err), Warnings: a.warnings.Take()}
}

// wantsJSON reports whether stdout is to hold a JSON document. Where the flags could not be
// read the arguments say so.
func (a *app) wantsJSON(cmd *cobra.Command, args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	format := cmd.Flags().Lookup("format")
	return a.json || slices.Contains(args, "--json") || format != nil && format.Value.String() == "json"
}
