package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"mirror/internal/workspace"
)

func (a *app) notifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Test the services that the daemon notifies",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "test",
		Short: "Send a test message to every recipient under notify",
		Long: `Send a test message to every recipient under notify in the config, whatever it asks to be told
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
	results, err := w.TestRecipients(ctx)
	if err != nil {
		return err
	}
	var failed error
	if !results.OK() {
		failed = &exit{exitFailed, nil}
	}
	return errors.Join(a.show(results), failed)
}
