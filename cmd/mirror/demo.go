package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"mirror/internal/config"
	"mirror/internal/demo"
	"mirror/internal/lab"
	"mirror/reports"
)

type demoFlags struct {
	site string
	pace lab.Pace
}

func (a *app) demoCommand() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "The whole story in one command on the lab: publish, drift, catch it, heal",
		Long: `Start embedded origins on loopback, publish a site to all of them, publish its next
version, check that they agree, put seven kinds of drift into them, check that exactly
those are found, heal them by publishing, and check again. It exits 0 only if every step
did what it says. Nothing outside a temporary folder is touched.

` + exitCodes,
		Example: `  mirror demo
  mirror demo --site ./public --lag git=2s
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
				return &exit{exitDisagree, errors.New("a step of the demo did not do what it says")}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&f.site, "site", "", "`folder` of the site to use (default: a small one of its own)")
	addPaceFlags(cmd, &f.pace)
	return cmd
}

// demo sets the stage: a lab, a copy of the site and a config, all in a folder that is
// removed afterwards.
func (a *app) demo(ctx context.Context, f demoFlags) (*reports.Demo, error) {
	source, err := demoSite(f.site)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mirror-demo-*")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	defer os.RemoveAll(dir)
	public := filepath.Join(dir, "public")
	if err := os.CopyFS(public, source); err != nil {
		return nil, fmt.Errorf("demo: copy the site: %w", err)
	}
	l, err := a.startLab(ctx, f.pace)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	file := filepath.Join(dir, config.FileName)
	if err := os.WriteFile(file, l.Config(public), 0o644); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	in := a.inLab(l, file)
	return demo.Run(ctx, demo.Options{
		Lab: l, Site: public,
		In: in.inWorkspace,
		Begin: func(step string) {
			if !a.quiet {
				fmt.Fprintf(a.stderr, "%s\n", a.paint("\x1b[1m", "— "+step))
			}
		},
	})
}

func demoSite(dir string) (fs.FS, error) {
	if dir == "" {
		return demo.Site()
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return root.FS(), nil
}

// inLab is the same program as a user of the lab would run it.
func (a *app) inLab(l *lab.Lab, file string) *app {
	b := *a
	b.configFile, b.stateDir, b.only = file, "", nil
	b.getenv = func(name string) string {
		switch name {
		case lab.AccessKeyEnv:
			return l.S3.AccessKey
		case lab.SecretKeyEnv:
			return l.S3.SecretKey
		}
		return a.getenv(name)
	}
	return &b
}
