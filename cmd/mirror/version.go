package main

import (
	"github.com/spf13/cobra"

	"mirror/reports"
)

// version is set by the release build (-ldflags "-X main.version=…").
var version = "dev"

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return a.show(reports.BuildOf(version)) },
	}
}
