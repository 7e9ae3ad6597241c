package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"mirror/internal/config"
	"mirror/internal/output"
	"mirror/internal/publish"
	"mirror/internal/workspace"
	"mirror/reports"
)

// publishFlags are the flags of publish; their zero values leave the config's word.
type publishFlags struct {
	build         bool
	noVerify      bool
	maxDelete     string
	verifyTimeout time.Duration
	adopt         bool
	plan          string
	stageOnly     bool
	release       string
	purgeNow      []string
	withdraw      string
	places        bool
}

func (a *app) publishCommand() *cobra.Command {
	var f publishFlags
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Stage everywhere, then commit everywhere, and watch until the live origins agree",
		Long: `Scan the site, make a plan, and stage the release on every target. When all targets hold it,
commit it on each of them. If a commit fails, the targets that were committed are rolled
back. Then watch the live origins until they serve the release. With --plan it is refused, before
anything is stored, unless it would do exactly what a plan of ` + "`mirror plan --out`" + ` says.

` + exitCodes,
		Example: `  mirror publish
  mirror publish --build --json
  mirror publish --max-delete 100%   # a site that shrank on purpose
  mirror publish --adopt             # the first publish to a target that holds other files
  mirror publish --stage-only        # now; and at the time of the announcement:
  mirror publish --release 3f9a1c    # it goes live everywhere, from any machine, without the site
  mirror publish --withdraw 3f9a1c   # or it does not go live, and is removed from the targets
  mirror publish --purge-now key.txt # a secret that was live by mistake: gone from all that the targets keep
  mirror publish --plan plan.json    # what mirror plan --out plan.json said, and nothing else`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(f.purgeNow) > 0 {
				return nil // further paths
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.purgeNow = append(f.purgeNow, args...)
			return a.runPublish(cmd, f)
		},
	}
	f.register(cmd)
	a.allFlag(cmd)
	return cmd
}

// runPublish publishes as the flags say.
func (a *app) runPublish(cmd *cobra.Command, f publishFlags) error {
	if f.withdraw != "" {
		return a.withdraw(cmd, f.withdraw)
	}
	if cmd.Flags().Changed("verify-timeout") && f.verifyTimeout <= 0 {
		return usage(fmt.Errorf("--verify-timeout %s: must be longer than 0s", f.verifyTimeout))
	}
	o, err := f.options()
	if err != nil {
		return usage(err)
	}
	return a.showPublish(a.publishing(cmd.Context(), f.places, func(w *workspace.Workspace) (*publish.Report, error) {
		o.Adoption = publish.Adoption{Allowed: f.adopt, Ask: a.console().AskAdoption(w.Line)}
		return w.Publish(cmd.Context(), o)
	}))
}

// register adds the flags to the command.
func (f *publishFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.build, "build", false, "run the config's build command first")
	cmd.Flags().BoolVar(&f.noVerify, "no-verify", false, "do not check the live origins afterwards")
	cmd.Flags().BoolVar(&f.places, "places", false, "watch the window from the places of the agents too (vantages in the config, mirror agent)")
	cmd.Flags().StringVar(&f.maxDelete, "max-delete", "", "`limit` of files to delete on a target, as a share (50%) or a count; what --adopt deletes is not counted")
	cmd.Flags().BoolVar(&f.adopt, "adopt", false, "delete the files that a target holds although no publish put them there; max_delete does not limit this")
	cmd.Flags().BoolVar(&f.stageOnly, "stage-only", false, "store the release on every target and make nothing live; --release makes it live later")
	cmd.Flags().StringVar(&f.release, "release", "", "make this staged release live in place of the site, by the first digits of its `ID`")
	cmd.Flags().StringVar(&f.withdraw, "withdraw", "", "publish nothing: take back the release that is staged to go live later, by the first digits of its `ID`")
	cmd.Flags().StringVar(&f.plan, "plan", "", "carry out exactly the plan in this `file` of mirror plan --out; refuse if anything has changed")
	cmd.Flags().StringArrayVar(&f.purgeNow, "purge-now", nil, "remove this `path` from all that the targets keep, earlier releases too; the site must not have it any more (further ones may follow)")
	_ = cmd.MarkFlagFilename("plan", "json") // fails only for an unknown flag
	cmd.Flags().DurationVar(&f.verifyTimeout, "verify-timeout", 0, "how long the live origins may take to agree")
}

// withdraw takes back a staged release.
func (a *app) withdraw(cmd *cobra.Command, release string) error {
	for _, other := range []string{"build", "no-verify", "max-delete", "adopt", "stage-only", "release", "plan", "purge-now", "verify-timeout", "places"} {
		if cmd.Flags().Changed(other) {
			return usage(fmt.Errorf("--withdraw and --%s cannot be used together: a withdrawal publishes nothing", other))
		}
	}
	return a.inWorkspace(func(w *workspace.Workspace) error {
		doc, err := w.Withdraw(cmd.Context(), release)
		if doc == nil {
			return err
		}
		doc.Ending = a.endingOf(cmd.Context(), err)
		return ending(err, a.show(doc))
	})
}

// publishing does a publish, or what ends like one. The document is nil where it failed before
// there was anything to report; the error has the exit code. places has the agents watch, too.
func (a *app) publishing(ctx context.Context, places bool, do func(w *workspace.Workspace) (*publish.Report, error)) (*reports.Publish, error) {
	var report *publish.Report
	err := a.inWorkspace(func(w *workspace.Workspace) error {
		return a.fromPlaces(ctx, w, places || w.BarrierNeedsPlaces(), func() (err error) {
			report, err = do(w)
			return err
		})
	})
	if report == nil {
		return nil, err
	}
	doc := workspace.PublishDocument(report)
	doc.Ending = a.endingOf(ctx, err)
	doc.Warnings = append(slices.Clone(report.Warnings), doc.Warnings...)
	return doc, publishExit(report, err)
}

// showPublish prints the document of a publish.
func (a *app) showPublish(doc *reports.Publish, err error) error {
	if doc == nil {
		return err
	}
	if shown := a.show(doc); shown != nil {
		a.warnings.Add("the report of the publish is incomplete: %v", shown)
	}
	if failed := output.GitHubPublish(*doc, a.getenv, a.secrets); failed != nil {
		a.warnings.Add("%v", failed)
	}
	return err
}

// options reads the flags.
func (f publishFlags) options() (workspace.PublishOptions, error) {
	o := workspace.PublishOptions{Build: f.build, NoVerify: f.noVerify, VerifyTimeout: f.verifyTimeout, PlanFile: f.plan, StageOnly: f.stageOnly, Release: f.release, PurgeNow: f.purgeNow}
	if f.maxDelete == "" {
		return o, nil
	}
	limit, err := config.ParseLimit(f.maxDelete)
	if err != nil {
		return o, fmt.Errorf("--max-delete: %w", err)
	}
	o.MaxDelete = &limit
	return o, nil
}

// publishExit maps an outcome to its exit code.
func publishExit(r *publish.Report, err error) error {
	code := map[publish.Outcome]int{
		publish.Live: exitAgree, publish.Unchanged: exitAgree, publish.Staged: exitAgree, publish.Diverged: exitDisagree,
		publish.Failed: exitFailed, publish.RolledBack: exitRolledBack, publish.Mixed: exitMixed,
	}[r.Outcome]
	var left *workspace.ErasureError
	switch {
	case code == exitAgree && errors.As(err, &left):
		code = exitFailed
	case code == exitAgree && err != nil && r.Outcome == publish.Live:
		code = exitDisagree // it is live, but not known to be live everywhere
	case code == exitAgree && err != nil:
		code = exitFailed
	}
	if code == exitAgree {
		return nil
	}
	return &exit{code, err}
}
