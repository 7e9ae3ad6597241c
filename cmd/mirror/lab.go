package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"mirror/internal/config"
	"mirror/internal/lab"
	"mirror/internal/labagents"
	"mirror/site"
)

type labFlags struct {
	site string
	dir  string
	pace lab.Pace

	agents int
	stuck  string
}

func (a *app) labCommand() *cobra.Command {
	var f labFlags
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Run embedded origins on loopback, to try mirror without an account",
		Long: `Start a git host with Pages, an S3 service whose bucket is a website, and a container
registry with a runtime, on free loopback ports, and write a mirror.yaml for them. They
run until interrupted; then everything that they stored is removed.

` + exitCodes,
		Example: `  mirror lab --site ./public
  mirror lab --dir /tmp/lab --lag git=3s,registry=1500ms
  mirror lab --agents 3 --stuck fra    # mirror check --places then finds fra stale after the next publish`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.lab(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.site, "site", "public", "`folder` of the site to publish")
	cmd.Flags().StringVar(&f.dir, "dir", "mirror-lab", "`folder` for the config")
	cmd.Flags().IntVar(&f.agents, "agents", 0, "run so many agents, each behind caches of its own `place`s")
	cmd.Flags().StringVar(&f.stuck, "stuck", "", "the caches of this `place` keep what they have first served")
	addPaceFlags(cmd, &f.pace)
	return cmd
}

func addPaceFlags(cmd *cobra.Command, p *lab.Pace) {
	cmd.Flags().StringToStringVar(&p.Lag, "lag", nil, "how long an origin (git, s3, registry) takes to show what is published: `origin=duration`, or origin=duration±jitter")
	cmd.Flags().StringToStringVar(&p.Trickle, "trickle", nil, "show an origin's files one after another, with this delay between them: `origin=duration` for each")
	cmd.Flags().StringToStringVar(&p.Edges, "edges", nil, "put caches in front of an origin, each with this delay: `origin=0s/2s`")
	cmd.Flags().StringSliceVar(&p.Flap, "flap", nil, "give an `origin` a second cache that never updates")
}

func (a *app) lab(ctx context.Context, f labFlags) error {
	l, err := a.startLab(ctx, f.pace)
	if err != nil {
		return err
	}
	defer l.Close()
	if f.agents > 0 {
		agents, err := labagents.Start(ctx, l, f.dir, f.agents, a.log())
		if err != nil {
			return err
		}
		defer agents.Close()
		l.Agents = agents.Listen
		for _, p := range agents.Places {
			p.Stick(p.Name == f.stuck)
		}
	}
	file, env, err := l.WriteConfig(f.dir, config.FileName, f.site)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	for _, o := range l.Origins() {
		fmt.Fprintf(a.stdout, "%-9s %s\n", o.Name, o.URL)
	}
	check := "mirror check -c " + file
	if f.agents > 0 {
		check += " --places"
	}
	fmt.Fprintf(a.stdout, "\nIn another terminal:\n  . %s\n  mirror publish -c %s\n  %s\n\nCtrl-C ends the lab.\n", env, file, check)
	<-ctx.Done()
	return nil
}

// startLab starts the lab with the pace that the flags give.
func (a *app) startLab(ctx context.Context, p lab.Pace) (*lab.Lab, error) {
	l, err := lab.Start(ctx, lab.Options{ContentType: site.ContentType, Log: a.log()})
	if err != nil {
		return nil, err
	}
	if err := p.Apply(l); err != nil {
		return nil, errors.Join(usage(err), l.Close())
	}
	return l, nil
}
