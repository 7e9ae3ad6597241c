package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"mirror/internal/workspace"
	"mirror/reports"
	"mirror/reports/formats"
)

func (a *app) diffCommand() *cobra.Command {
	var o workspace.DiffOptions
	var exitCode bool
	var out *outputFlags[reports.Diff]
	cmd := &cobra.Command{
		Use:   "diff [A] [B]",
		Short: "Show what changed between two releases, builds or live sites",
		Long: `Compare two states of the site: which paths were added, changed, deleted and renamed, their
sizes, how the text of changed files differs, and which of the two each origin serves at these
paths. Nothing is changed.

A and B are each the first digits of the ID of a release, "live" (the release that is live on
most targets; the default of A), "site" (the site's folder; the default of B), a built site (a
folder, an archive, oci:IMAGE), or the URL of a live site. The content of a release comes from
the targets that hold it (mirror rollback --list); of an older one in the history, only paths,
sizes and digests are compared.

` + exitCodes,
		Example: `  mirror diff                              # what a publish would change for visitors
  mirror diff 3f9a1c live --stat
  mirror diff --exit-code -q               # 1 if anything differs
  mirror diff --format markdown > comment.md
  mirror diff --out html=diff.html
  mirror diff https://blog.example.com/ https://staging.example.com/
  mirror diff ./old.tar.gz ./public`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := out.validate(); err != nil {
				return err
			}
			doc, err := a.diff(cmd, names, o)
			if doc == nil {
				return err
			}
			doc.Ending = a.endingOf(cmd.Context(), err)
			if err == nil && exitCode && doc.Differs() {
				err = &exit{exitDisagree, nil}
			}
			return ending(err, out.write(*doc))
		},
	}
	out = outputFlagsOf(a, cmd, formats.Diff())
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 if anything differs, with 0 if not")
	cmd.Flags().BoolVar(&o.Stat, "stat", false, "only paths and sizes, no text diffs")
	cmd.Flags().BoolVar(&o.NoOrigins, "no-origins", false, "do not ask the origins what they serve")
	cmd.Flags().IntVar(&o.MaxPages, "max-pages", 0, "of two URLs, look at `n` pages at most (default 10000 by links, 1000000 by sitemaps)")
	a.allFlag(cmd)
	cmd.ValidArgsFunction = a.completeStates
	return cmd
}

// completeStates completes what diff compares: the releases in the history here, without asking the targets.
func (a *app) completeStates(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := []string{workspace.DiffLive + "\tthe release that is live", workspace.DiffSite + "\tthe site's folder"}
	w, err := a.open(workspace.NewLines(io.Discard))
	if err != nil {
		return names, cobra.ShellCompDirectiveDefault
	}
	defer w.Close()
	for _, p := range w.RememberedReleases(cmd.Context()) {
		names = append(names, p.Release.Short()+"\tlive since "+p.Published.UTC().Format(time.DateTime)+" UTC")
	}
	return names, cobra.ShellCompDirectiveDefault
}

// diff compares what the arguments name.
func (a *app) diff(cmd *cobra.Command, names []string, o workspace.DiffOptions) (doc *reports.Diff, err error) {
	if o.MaxPages < 0 {
		return nil, usage(fmt.Errorf("--max-pages %d: cannot be negative", o.MaxPages))
	}
	o.SiteOptions = workspace.DefaultSiteOptions()
	if !workspace.DiffNeedsConfig(names) && a.configFile == "" {
		d := a.console().Progress()
		defer d.Close()
		return workspace.DiffWithoutConfig(cmd.Context(), names[0], names[1], o, d)
	}
	err = a.inWorkspace(func(w *workspace.Workspace) (err error) {
		doc, err = w.Diff(cmd.Context(), names, o)
		return err
	})
	return doc, err
}
