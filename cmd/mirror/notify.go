package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mirror/internal/notify"
	"mirror/internal/workspace"
	"mirror/reports"
)

func (a *app) notifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Try the places that the daemon tells of drift",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "test",
		Short: "Send a test message to every place under notify",
		Long: `Send a test message to every place under notify in the config, whatever it asks to be told
and whatever the time, and say who took it. Exit 0 when all did, 3 when one did not.

` + exitCodes,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.notifyTest(cmd.Context()) },
	})
	return cmd
}

func (a *app) notifyTest(ctx context.Context) error {
	w, err := a.open(workspace.NewLines(io.Discard))
	if err != nil {
		return err
	}
	defer w.Close()
	recipients, err := w.Recipients()
	if err != nil {
		return usage(err)
	}
	if len(recipients) == 0 {
		return usage(fmt.Errorf("%s: no recipient is configured (hint: notify: [{url: …}]; docs/notify.md has the services)", w.Config.File))
	}
	results := reports.NotifyTest{Schema: reports.NotifySchema, Results: []reports.NotifyResult{}}
	var failed error
	for _, r := range notify.Test(ctx, recipients) {
		row := reports.NotifyResult{Name: r.Name, To: r.To, OK: r.Err == nil, Error: text(r.Err), Elapsed: reports.Millis(r.Took)}
		if r.Err != nil {
			failed = &exit{exitFailed, nil}
		}
		results.Results = append(results.Results, row)
	}
	return errors.Join(a.show(results), failed)
}
