package main

import (
	"github.com/spf13/cobra"

	"mirror/internal/workspace"
	"mirror/targets/targettest"
)

func (a *app) targettestCommand() *cobra.Command {
	var reset string
	cmd := &cobra.Command{
		Use:   "targettest CONFIG",
		Short: "Try whether a target keeps what targets promise: for authors of exec targets",
		Long: "Run the suite that all kinds of target pass on the one target of a config, or on the one that --target names, and\n" +
			"read what is live from its origin. The place must be one for tests: releases are published and rolled back there.",
		Example: `  mirror targettest ./test.yaml
  mirror targettest ./test.yaml --reset 'rm -rf /srv/www/test'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.configFile = args[0]
			return a.inWorkspace(func(w *workspace.Workspace) error {
				place, err := w.TestPlace(cmd.Context(), reset)
				if err == nil {
					targettest.Main(place)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&reset, "reset", "", "shell `command` that empties the place, before each case; without it the cases that need that are left out")
	return cmd
}
