package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"mirror/diff"
	"mirror/internal/output"
	"mirror/internal/workspace"
	"mirror/reports"
	"mirror/reports/formats"
)

func (a *app) checkCommand() *cobra.Command {
	var f checkFlags
	var live liveFlags
	var out *outputFlags[reports.Check]
	cmd := &cobra.Command{
		Use:   "check [[SITE] URL…]",
		Short: "Hash the live pages of every origin; exit 1 when they disagree",
		Long: `Fetch every page of the release from every live origin, hash it, and compare it with the
release. The check also looks for pages that should be gone (those that a target still
stores, and those of earlier releases), and at the answer for a path that does not exist.
A page that could not be fetched never counts as agreeing.

The release is the site's folder as it is now or, where there is no such folder, the last
release published from here. A page of an earlier release is stale. The local history, or
else the targets (the branch's commits, the bucket's manifests, the images), tell which
release it is of. If a newer release goes live during the check, it is compared with that.

` + aboutURLs + `

` + exitCodes,
		Example: `  mirror check
  mirror check --json | jq '.drift'
  mirror check --out junit=report.xml --out sarif=drift.sarif
  mirror check --wait 5m              # right after a publish made elsewhere
  mirror check --tolerate altered:feed.xml --max-unreachable 1%
  mirror check --sample 200           # with at least 95 % confidence, drift on under 1.5 % of the pages
  mirror check --places               # from the machines of the agents, too
  mirror check --live-only            # ask the origins only, not the targets' stores
  mirror check ./public https://me.github.io/ https://my-blog.example.com/ --wait 10m
  mirror check https://me.github.io/ https://my-blog.example.com/ https://blog.example.run/`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if err := cmp.Or(out.validate(), f.validate()); err != nil {
				return err
			}
			verdict, err := a.verdict(cmd, f, live, arguments)
			if err != nil {
				return err
			}
			doc := reports.CheckOf(verdict)
			if err := output.GitHub(out.set, doc, a.getenv, a.stderr, a.secrets); err != nil {
				a.warnings.Add("%v", err)
			}
			doc.Warnings = a.warnings.Take()
			return ending(checkExit(verdict), out.write(doc))
		},
	}
	out = outputFlagsOf(a, cmd, formats.Check())
	f.flags(cmd)
	f.configFlags(cmd)
	live.flags(cmd)
	a.allFlag(cmd)
	return cmd
}

// verdict checks what the config says, or what the arguments name.
func (a *app) verdict(cmd *cobra.Command, f checkFlags, live liveFlags, arguments []string) (diff.Verdict, error) {
	if len(arguments) > 0 {
		live.CheckOptions = f.options(a.verbose)
		return a.checkLive(cmd.Context(), cmd, arguments, live)
	}
	if err := refuse(cmd, "is for a comparison of URLs (hint: mirror check URL URL…, mirror check SITE URL…)", live.urls, live.both, live.site); err != nil {
		return diff.Verdict{}, err
	}
	var v diff.Verdict
	err := a.inWorkspace(func(w *workspace.Workspace) (err error) {
		return a.fromPlaces(cmd.Context(), w, f.places, func() error {
			v, err = w.Check(cmd.Context(), f.options(a.verbose))
			return err
		})
	})
	return v, err
}

// checkExit maps a verdict to its exit code.
func checkExit(v diff.Verdict) error { return stateExit(v.State()) }

// stateExit maps the state of all origins to the exit code, "" to that of nothing to judge.
func stateExit(state diff.State) error {
	switch state {
	case diff.Agrees, "":
		return nil
	case diff.Drifts:
		return &exit{exitDisagree, nil}
	}
	return &exit{exitFailed, nil}
}
