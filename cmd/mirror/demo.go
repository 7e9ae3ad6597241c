package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"mirror/internal/demo"
	"mirror/internal/lab"
	"mirror/internal/workspace"
	"mirror/reports"
)

type demoFlags struct {
	site  string
	front bool
	pace  lab.Pace

	agents int
}

func (a *app) demoCommand() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Publish, drift, detection and repair in one command, on embedded origins",
		Long: `Start embedded origins on loopback, publish a site to all of them, publish its next
version, check that they agree, put seven kinds of drift into them, check that exactly
those are found, repair the origins with a publish, and check again. It exits 0 only if
every step succeeded. Nothing outside a temporary folder is touched.

` + exitCodes,
		Example: `  mirror demo
  mirror demo --site ./public --lag git=2s
  mirror demo --front
  mirror demo --agents 3              # and find what only one of three places sees
  mirror demo --json | jq .ok`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			doc, err := a.demo(cmd.Context(), f)
			if err != nil {
				return err
			}
			if err := a.show(doc); err != nil {
				return err
			}
			if !doc.OK {
				return &exit{exitDisagree, errors.New("a step of the demo failed")}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&f.site, "site", "", "`folder` of the site to use (default: a small one of its own)")
	cmd.Flags().BoolVar(&f.front, "front", false, "show what two visitors of mirror front get while origins are altered, parked and down")
	cmd.Flags().IntVar(&f.agents, "agents", 0, "look from so many places, too, one of which has a cache that is stuck")
	addPaceFlags(cmd, &f.pace)
	return cmd
}

// demo runs the demo on a lab of its own.
func (a *app) demo(ctx context.Context, f demoFlags) (*reports.Demo, error) {
	l, err := a.startLab(ctx, f.pace)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return demo.Run(ctx, demo.Options{
		Lab: l, Site: f.site, Front: f.front, Agents: f.agents, Log: a.log(),
		In: func(file string, do func(w *workspace.Workspace) error) error {
			return a.inLab(l, file).inWorkspace(do)
		},
		Begin: func(step string) {
			if !a.quiet {
				fmt.Fprintf(a.stderr, "%s\n", a.console().Paint("\x1b[1m", "— "+step))
			}
		},
	})
}

// inLab is the same program as a user of the lab would run it.
func (a *app) inLab(l *lab.Lab, file string) *app {
	b := *a
	b.configFile, b.stateDir, b.only = file, "", nil
	b.getenv = l.Getenv(a.getenv)
	return &b
}
