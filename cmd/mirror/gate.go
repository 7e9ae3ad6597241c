package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/cobra"

	"mirror/diff"
)

// gate is how a check looks and how strictly it judges, as its flags say.
type gate struct {
	liveOnly  bool
	sample    int
	learn     bool
	trustETag bool
	wait      time.Duration
	maxAge    time.Duration
	published bool // compare with what was published, not with a site's folder that is ahead of it

	unreachable string
	tolerate    []string

	tolerance diff.Tolerance
}

// flags adds the flags that a check of origins has, with and without a config.
func (g *gate) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&g.sample, "sample", 0, "look at `n` pages picked at random, and say what that bounds (default all)")
	f.BoolVar(&g.learn, "learn", false, "read what differs once more: what the origin answers otherwise each time is noise, told and not counted")
	f.DurationVar(&g.wait, "wait", 0, "ask again for so long until the origins agree")
	f.StringVar(&g.unreachable, "max-unreachable", "0", "let `n` pages (or 5%) of an origin go unjudged; 100% lets a dead origin pass")
	f.StringArrayVar(&g.tolerate, "tolerate", nil, "tell of a `kind` of drift (or kind:glob) without failing; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("tolerate", cobra.FixedCompletions(kindNames(), cobra.ShellCompDirectiveNoFileComp)) // fails only for an unknown flag
}

// configFlags adds the flags that need a config.
func (g *gate) configFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&g.liveOnly, "live-only", false, "do not ask the targets what they store and held before")
	f.BoolVar(&g.trustETag, "trust-etag", false, "believe an origin that says a page has not changed since it was verified; a tenth is read in full all the same")
	f.DurationVar(&g.maxAge, "max-age", 0, "what is still of an earlier release passes until the new one has been live for so long")
}

func kindNames() []string {
	var names []string
	for _, k := range diff.Kinds() {
		names = append(names, string(k))
	}
	return names
}

// judge reads the flags. Everything that can be wrong with them is a usage error.
func (g *gate) judge() error {
	g.tolerance = diff.Tolerance{Since: -1, Window: g.maxAge}
	var err error
	if g.tolerance.Unreachable, err = parseShare(g.unreachable); err != nil {
		return usage(fmt.Errorf("--max-unreachable %s: %w", g.unreachable, err))
	}
	for _, text := range g.tolerate {
		rule, err := parseLeniency(text)
		if err != nil {
			return usage(fmt.Errorf("--tolerate %s: %w", text, err))
		}
		g.tolerance.Rules = append(g.tolerance.Rules, rule)
	}
	switch {
	case g.sample < 0:
		return usage(fmt.Errorf("--sample %d: want a number of pages", g.sample))
	case g.wait < 0 || g.maxAge < 0:
		return usage(fmt.Errorf("--wait and --max-age want a time, as in 5m"))
	}
	return nil
}

// parseShare reads "3" or "5%".
func parseShare(text string) (diff.Share, error) {
	if part, ok := strings.CutSuffix(text, "%"); ok {
		f, err := strconv.ParseFloat(part, 64)
		if err != nil || !(f >= 0 && f <= 100) {
			return diff.Share{}, fmt.Errorf("want a share from 0%% to 100%%")
		}
		return diff.Share{Part: f / 100}, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return diff.Share{}, fmt.Errorf("want a count of pages, or a share such as 5%%")
	}
	return diff.Share{Count: n}, nil
}

// parseLeniency reads "stale" or "altered:feed/**".
func parseLeniency(text string) (diff.Leniency, error) {
	kind, glob, scoped := strings.Cut(text, ":")
	rule := diff.Leniency{Kind: diff.Kind(kind), Text: "--tolerate " + text}
	if !slices.Contains(diff.Kinds(), rule.Kind) {
		return rule, fmt.Errorf("there is no kind %q (there are %s)", kind, strings.Join(kindNames(), ", "))
	}
	if !scoped {
		return rule, nil
	}
	if !doublestar.ValidatePattern(glob) || glob == "" {
		return rule, fmt.Errorf("%q is no glob", glob)
	}
	rule.Match = func(path string) bool { return doublestar.MatchUnvalidated(glob, path) }
	return rule, nil
}
