package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/publish"
	"mirror/site"
	"mirror/targets"
)

// RollbackOptions say to which release to go back.
type RollbackOptions struct {
	Release       string        // its id, or the first digits of it; "" for the release that was live before
	NoVerify      bool          // do not look at the live origins afterwards
	VerifyTimeout time.Duration // 0 for the config's
}

// HeldRelease is a release that targets hold.
type HeldRelease struct {
	Release   site.ID
	Published time.Time // when it went live last; zero where no target tells
	Files     int
	Targets   []string // that can give all of it
	Live      []string // targets on which it is live now
}

// Held lists the releases that the targets hold, those that went live last first. The error is that of
// the targets that could not be asked; what the others hold is listed.
func (w *Workspace) Held(ctx context.Context) ([]HeldRelease, error) {
	if len(w.Config.Targets) == 0 {
		return nil, usage(errors.New("there is no target that could hold an earlier release"))
	}
	dests, err := w.Destinations(ctx)
	if err != nil {
		return nil, err
	}
	held, errs := heldBy(ctx, dests)
	return held, errors.Join(errs...)
}

// heldBy asks the targets. The errors name those that did not answer.
func heldBy(ctx context.Context, dests []targets.Destination) ([]HeldRelease, []error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answers := make([]heldAnswer, len(dests))
	var asking sync.WaitGroup
	for i, d := range dests {
		asking.Go(func() { answers[i] = askHeld(ctx, d) })
	}
	asking.Wait()
	var sequence []site.Past
	var errs []error
	for i, a := range answers {
		sequence = diff.Sequence(sequence, a.past)
		if a.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", dests[i].Name, a.err))
		}
	}
	var all []HeldRelease
	for _, p := range sequence {
		if p.Release == site.None {
			continue
		}
		h := HeldRelease{Release: p.Release, Published: p.Published, Files: len(p.Manifest)}
		for i, a := range answers {
			if slices.ContainsFunc(a.past, func(q site.Past) bool { return q.Release == p.Release }) {
				h.Targets = append(h.Targets, dests[i].Name)
			}
			if a.live == p.Release {
				h.Live = append(h.Live, dests[i].Name)
			}
		}
		all = append(all, h)
	}
	return all, errs
}

// heldAnswer is what one target says.
type heldAnswer struct {
	live site.ID
	past []site.Past
	err  error
}

func askHeld(ctx context.Context, d targets.Destination) (a heldAnswer) {
	live, err := d.Live(ctx)
	if err != nil {
		return heldAnswer{err: err}
	}
	a.live = live.Release
	_, restores := d.Target.(targets.Restorer)
	if h, ok := d.Target.(targets.Historian); ok && restores {
		a.past, a.err = h.Past(ctx, pastLimit, nil)
		a.past = inOrder(a.past, a.live)
	}
	return a
}

// inOrder gives the releases of a target times that keep its order. What a target lists before the live release is under
// way: its time is that of a commit that has not ended, and not one at which it was live.
func inOrder(past []site.Past, live site.ID) []site.Past {
	at := slices.IndexFunc(past, func(p site.Past) bool { return p.Release == live })
	if at <= 0 {
		return past
	}
	all, underWay := slices.Clone(past[at:]), past[:at]
	for _, p := range underWay {
		before := slices.IndexFunc(all, func(q site.Past) bool { return q.Release == p.Release })
		if before < 0 {
			p.Published = time.Time{}
			all = append(all, p)
		} else if newest := all[before-1].Published; all[before].Published.After(newest) {
			all[before].Published = newest.Add(-1)
		}
	}
	return all
}

// Rollback puts an earlier release live on all targets, as a publish of it would, and records that. It
// needs no site folder: the content comes from the targets that hold it. The report is nil
// where it failed before there was anything to report.
func (w *Workspace) Rollback(ctx context.Context, o RollbackOptions) (*publish.Report, error) {
	began := time.Now()
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
	held, err := w.Held(ctx)
	if err != nil {
		return nil, err
	}
	to, err := chosen(held, o.Release, last)
	if err != nil {
		return nil, err
	}
	dests, err := w.Destinations(ctx)
	if err != nil {
		return nil, err
	}
	restored, err := w.restore(ctx, to, dests)
	if err != nil {
		return nil, err
	}
	rel := restored.release(w.beacon())
	w.options.Events.Line("release  %s of %s: %d files, held by %s", to.Release.Short(),
		to.Published.UTC().Format(time.DateTime), len(rel.Manifest), strings.Join(to.Targets, ", "))
	options := w.publishOptions(dests, PublishOptions{NoVerify: o.NoVerify, VerifyTimeout: o.VerifyTimeout})
	options.MaxDelete = nil // the release was live, however few files it has
	report, err := w.run(ctx, journal, last, rel, dests, options)
	return report, errors.Join(err, restored.Close())
}

// chosen is the release to go back to. last is what the last run from here left.
func chosen(held []HeldRelease, asked string, last publish.Page) (HeldRelease, error) {
	return choose(held, cmp.Or(asked, unfinished(held, last)))
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
		return HeldRelease{}, usage(fmt.Errorf("no target holds a release %s (hint: %s)", prefix, candidates(held)))
	}
	return HeldRelease{}, usage(fmt.Errorf("%s is the beginning of several release IDs (hint: %s)", prefix, candidates(found)))
}

// previous returns the release that was live before the one that most targets serve.
func previous(held []HeldRelease) (HeldRelease, error) {
	if len(held) == 0 {
		return HeldRelease{}, errors.New("no target holds a release: nothing was published there, or others have replaced it")
	}
	live := slices.MaxFunc(held, func(a, b HeldRelease) int { return cmp.Compare(len(a.Live), len(b.Live)) })
	if len(live.Live) == 0 {
		return held[0], nil // others have replaced it everywhere
	}
	at := slices.IndexFunc(held, func(h HeldRelease) bool { return h.Release == live.Release })
	if at+1 >= len(held) {
		return HeldRelease{}, fmt.Errorf("no target holds a release that was live before %s (hint: publish.keep_releases says how many stay; %s)",
			live.Release.Short(), candidates(held))
	}
	return held[at+1], nil
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
		names = append(names, fmt.Sprintf("%s of %s on %s", h.Release.Short(), h.Published.UTC().Format(time.DateTime), strings.Join(h.Targets, ", ")))
	}
	return "there are " + strings.Join(names, "; ")
}
