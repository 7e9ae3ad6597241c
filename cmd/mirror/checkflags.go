package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"mirror/diff"
	"mirror/internal/workspace"
)

// checkFlags say how a check looks and how strictly it judges.
type checkFlags struct {
	liveOnly  bool
	places    bool
	sample    int
	learn     bool
	trustETag bool
	wait      time.Duration
	maxAge    time.Duration

	unreachable string
	tolerate    []string

	tolerance diff.Tolerance
}

// flags adds the flags that a check of origins has, with and without a config.
func (f *checkFlags) flags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.IntVar(&f.sample, "sample", 0, "look at `n` random pages, and report how much drift that rules out (default all)")
	set.BoolVar(&f.learn, "learn", false, "read each differing page once more: a page that differs on every request is noise, which is reported but does not fail the check")
	set.DurationVar(&f.wait, "wait", 0, "repeat the check until the origins agree, for at most this long")
	set.StringVar(&f.unreachable, "max-unreachable", "0", "let `n` pages (or 5%) of an origin not be judged; 100% accepts an unreachable origin")
	set.StringArrayVar(&f.tolerate, "tolerate", nil, "report a `kind` of drift (or kind:glob) without failing; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("tolerate", cobra.FixedCompletions(diff.KindNames(), cobra.ShellCompDirectiveNoFileComp)) // fails only for an unknown flag
}

// configFlags adds the flags that need a config.
func (f *checkFlags) configFlags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.BoolVar(&f.liveOnly, "live-only", false, "ask only the origins, not the targets for what they store and stored before")
	set.BoolVar(&f.places, "places", false, "look from the places of the agents too (vantages in the config, mirror agent)")
	set.BoolVar(&f.trustETag, "trust-etag", false, "trust an origin's ETag for pages that were verified before; a tenth of them is still read in full")
	set.DurationVar(&f.maxAge, "max-age", 0, "accept pages of an earlier release until the new one has been live for this long")
}

// options are what the flags ask of a check with a config.
func (f *checkFlags) options(excerpts bool) workspace.CheckOptions {
	return workspace.CheckOptions{
		LiveOnly: f.liveOnly, Sample: f.sample, Learn: f.learn, TrustETag: f.trustETag, Wait: f.wait,
		Excerpts: excerpts, Tolerance: f.tolerance,
	}
}

// validate reads the flags. Everything that can be wrong with them is a usage error.
func (f *checkFlags) validate() error {
	f.tolerance = diff.Tolerance{Since: -1, Window: f.maxAge}
	var err error
	if f.tolerance.Unreachable, err = diff.ParseShare(f.unreachable); err != nil {
		return usage(fmt.Errorf("--max-unreachable %s: %w", f.unreachable, err))
	}
	for _, text := range f.tolerate {
		rule, err := diff.ParseLeniency("--tolerate ", text)
		if err != nil {
			return usage(fmt.Errorf("--tolerate %s: %w", text, err))
		}
		f.tolerance.Rules = append(f.tolerance.Rules, rule)
	}
	switch {
	case f.sample < 0:
		return usage(fmt.Errorf("--sample %d: want a number of pages", f.sample))
	case f.wait < 0 || f.maxAge < 0:
		return usage(fmt.Errorf("--wait and --max-age want a time, as in 5m"))
	}
	return nil
}
