package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/internal/publish"
	"mirror/targets"
)

// RollbackOptions say to which release to go back.
type RollbackOptions struct {
	Release       string        // its id, or the first digits of it; "" for the release that was live before
	Resume        bool          // only complete a rollback from here that was interrupted: errNothingToResume where there is none
	NoVerify      bool          // do not look at the live origins afterwards
	VerifyTimeout time.Duration // 0 for the config's
}

// errNothingToResume means that no rollback from here is unfinished, or that something else has gone live since.
var errNothingToResume = errors.New("there is no rollback to complete")

// Rollback puts an earlier release live on all targets, as a publish of it would, and records that. It
// needs no site folder: the content comes from the targets that hold it. The report is nil
// where it failed before there was anything to report.
func (w *Workspace) Rollback(ctx context.Context, o RollbackOptions) (*publish.Report, error) {
	began := time.Now()
	w.renewUniques()
	report, err := w.rollback(ctx, o)
	if report != nil {
		w.recordPublish(ctx, began, report, err)
	}
	return report, err
}

// rollback is Rollback without the record.
func (w *Workspace) rollback(ctx context.Context, o RollbackOptions) (*publish.Report, error) {
	report, err := w.rollbackOnly(ctx, o)
	w.afterPublish(ctx, report)
	return report, err
}

// rollbackOnly is rollback without the hook.
func (w *Workspace) rollbackOnly(ctx context.Context, o RollbackOptions) (*publish.Report, error) {
	if _, err := w.caches(); err != nil {
		return nil, err
	}
	journal, last, err := w.journal()
	if err != nil {
		return nil, err
	}
	defer journal.Close()
	dests, err := w.rollbackTargets(ctx)
	if err != nil {
		return nil, err
	}
	held, failed := heldBy(ctx, dests)
	if err := w.withoutSome(failed, dests); err != nil {
		return nil, err
	}
	if o.Resume && unfinished(held, last) == "" {
		return nil, errNothingToResume
	}
	to, err := chosen(held, o.Release, last)
	if err != nil {
		return nil, err
	}
	restored, err := w.restore(ctx, to, dests)
	if err != nil {
		return nil, err
	}
	rel := restored.release(w)
	rel.Redirects = destinationsOf(w.redirectsIn(rel.Manifest))
	w.options.Events.Line("release  %s of %s: %d files, held by %s", to.Release.Short(),
		to.Published.UTC().Format(time.DateTime), len(rel.Manifest), strings.Join(to.Targets, ", "))
	options := w.publishOptions(dests, PublishOptions{NoVerify: o.NoVerify, VerifyTimeout: o.VerifyTimeout})
	options.MaxDelete = nil // the release was live, however few files it has
	report, err := w.run(ctx, journal, last, rel, dests, options)
	return report, errors.Join(err, restored.Close())
}

// withoutSome goes on without what targets could not tell. A target of which it is not known what is live cannot be rolled
// back: the error says how the others can.
func (w *Workspace) withoutSome(failed heldErrors, dests []targets.Destination) error {
	var silent heldErrors
	var rest []string
	for _, d := range dests {
		rest = append(rest, d.Name)
	}
	for _, f := range failed {
		if f.live {
			w.options.Events.Line("warning  %v; a release that it holds is taken from another target", f)
			continue
		}
		silent = append(silent, f)
		rest = slices.DeleteFunc(rest, func(name string) bool { return name == f.target })
	}
	if len(silent) == 0 || len(rest) == 0 {
		return silent.join()
	}
	return fmt.Errorf("%w\n(hint: the other targets can be rolled back without it: --target %s)", silent.join(), strings.Join(rest, " --target "))
}

// chosen is the release to go back to. last is what the last run from here left.
func chosen(held []HeldRelease, asked string, last publish.Page) (HeldRelease, error) {
	to, err := choose(held, cmp.Or(asked, unfinished(held, last)))
	if err == nil && len(to.Targets) == 0 {
		at := ""
		if !to.PurgedAt.IsZero() {
			at = " on " + to.PurgedAt.UTC().Format("2006-01-02 15:04 MST")
		}
		err = fmt.Errorf("release %s cannot be restored: files of it were purged%s by `publish --purge-now` (hint: %s)", to.Release.Short(), at, candidates(restorable(held)))
	}
	return to, err
}

// restorable leaves out the releases that no target can give whole.
func restorable(held []HeldRelease) []HeldRelease {
	return slices.DeleteFunc(slices.Clone(held), func(h HeldRelease) bool { return len(h.Targets) == 0 })
}

// unfinished is the release of a rollback from here that was interrupted, "" for none. A rollback to no release in particular
// completes that one: where it had begun, the release before would be the one that it was to replace. Where something else
// is live by now, others have published since.
func unfinished(held []HeldRelease, last publish.Page) string {
	known := slices.ContainsFunc(held, func(h HeldRelease) bool { return h.Release == last.Release })
	if !last.Interrupted() || !last.Rollback || !known {
		return ""
	}
	for _, h := range held {
		ours := h.Release == last.Release
		for _, swap := range last.Swaps {
			ours = ours || h.Release == swap.From.Release
		}
		if len(h.Live) > 0 && !ours {
			return ""
		}
	}
	return string(last.Release)
}

// choose finds the release that is asked for by the first digits of its id, or the one that was live
// before what is live now.
func choose(held []HeldRelease, prefix string) (HeldRelease, error) {
	if prefix == "" {
		return previous(held)
	}
	var found []HeldRelease
	for _, h := range held {
		if strings.HasPrefix(string(h.Release), strings.ToLower(prefix)) {
			found = append(found, h)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return HeldRelease{}, usage(fmt.Errorf("no target holds a release %s (hint: %s)", prefix, candidates(restorable(held))))
	}
	return HeldRelease{}, usage(fmt.Errorf("%s is the beginning of several release IDs (hint: %s)", prefix, candidates(found)))
}

// previous returns the release that was live before the one that most targets serve.
func previous(held []HeldRelease) (HeldRelease, error) {
	if len(restorable(held)) == 0 {
		return HeldRelease{}, errors.New("no target holds a release: nothing was published there, or others have replaced it")
	}
	live := slices.MaxFunc(held, func(a, b HeldRelease) int { return cmp.Compare(len(a.Live), len(b.Live)) })
	if len(live.Live) == 0 {
		return restorable(held)[0], nil // others have replaced it everywhere
	}
	at := slices.IndexFunc(held, func(h HeldRelease) bool { return h.Release == live.Release })
	earlier := restorable(held[at+1:])
	if len(earlier) == 0 {
		why := ""
		if len(held) > at+1 {
			why = ", and files of those before were purged by `publish --purge-now`"
		}
		return HeldRelease{}, fmt.Errorf("no target holds a release that was live before %s%s (hint: publish.keep_releases says how many stay; %s)",
			live.Release.Short(), why, candidates(restorable(held)))
	}
	return earlier[0], nil
}

// maxCandidates is how many releases an error lists.
const maxCandidates = 8

// candidates lists releases for a hint.
func candidates(held []HeldRelease) string {
	if len(held) == 0 {
		return "no target holds any release"
	}
	var names []string
	for _, h := range held[:min(len(held), maxCandidates)] {
		name := h.Release.Short()
		if !h.Published.IsZero() {
			name += " of " + h.Published.UTC().Format(time.DateTime)
		}
		if len(h.Targets) == 0 {
			name += ", which was purged"
		} else {
			name += " on " + strings.Join(h.Targets, ", ")
		}
		names = append(names, name)
	}
	return "there are " + strings.Join(names, "; ")
}
