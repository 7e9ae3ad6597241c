package workspace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"mirror/internal/history"
	"mirror/internal/publish"
	"mirror/internal/staged"
	"mirror/internal/wait"
	"mirror/site"
	"mirror/targets"
)

// finishing is how long it may take to remember a release, also where the publish was
// interrupted after its commits.
const finishing = time.Minute

// finish remembers a release that has gone live and lets the targets drop old ones. What
// fails here is a warning: the release is live.
func (w *Workspace) finish(ctx context.Context, r *publish.Report, rel *site.Release, lags *lagBook) {
	within, done := wait.Outlive(ctx, finishing)
	warnOf(r, lags.learn(within, r))
	keep, err := w.learn(within, r, rel)
	done()
	if err != nil {
		r.Warn("the release is live and is not remembered here, so old releases stay on the targets: %v", err)
	}
	if err != nil {
		return
	}
	keep.Hold = staged.Held(lags.record.Staged, time.Now())
	for _, p := range pruneAll(ctx, lags.dests, keep) {
		if p.err != nil {
			r.Warn("%s: old releases stay: %v", p.name, p.err)
		}
	}
}

// pruning is how long one target may take to drop old releases.
const pruning = time.Minute

var errPruning = fmt.Errorf("not done within %s; the next publish tries again", pruning)

// pruned says how a target dropped old releases.
type pruned struct {
	name string
	err  error
}

// pruneAll has the targets that can do so drop old releases, all at once, each within pruning.
func pruneAll(ctx context.Context, dests []targets.Destination, keep targets.Retention) []pruned {
	ctx, done := context.WithTimeoutCause(ctx, pruning, errPruning)
	defer done()
	dests = slices.DeleteFunc(slices.Clone(dests), func(d targets.Destination) bool { _, can := targets.As[targets.Pruner](ctx, d.Target); return !can })
	all := make([]pruned, len(dests))
	var running sync.WaitGroup
	for i, dest := range dests {
		all[i].name = dest.Name
		running.Go(func() { all[i].err = prune(ctx, dest.Target.(targets.Pruner), keep) })
	}
	running.Wait()
	return all
}

// prune gives the cause where the context ends it.
func prune(ctx context.Context, p targets.Pruner, keep targets.Retention) error {
	err := ctx.Err()
	if err == nil {
		err = p.Prune(ctx, keep)
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// learn remembers what a publish made live and how long the origins took, and returns what the
// targets may drop.
func (w *Workspace) learn(ctx context.Context, r *publish.Report, rel *site.Release) (keep targets.Retention, err error) {
	err = w.remember(ctx, func(h *history.Store) error {
		if err := h.LearnLags(ctx, lagsOf(r)); err != nil {
			return err
		}
		if err := h.AddRelease(ctx, site.Past{Release: rel.ID(), Published: rel.Published, Manifest: rel.Manifest}); err != nil {
			return err
		}
		var err error
		keep, err = w.retention(ctx, h)
		return err
	})
	return keep, err
}

// retention says how many releases stay on the targets, and what the history here knows of
// their order.
func (w *Workspace) retention(ctx context.Context, h *history.Store) (targets.Retention, error) {
	all, err := h.Sequence(ctx)
	r := targets.Retention{Keep: w.Config.Publish.KeepReleases}
	for _, p := range all {
		r.Known = append(r.Known, p.Release)
	}
	return r, err
}

// runsKept is for how long runs are remembered at most: their logs are long.
const runsKept = 30 * 24 * time.Hour

// PruneAll forgets what is too old, here and on the targets.
func (w *Workspace) PruneAll(ctx context.Context) error {
	h, err := w.History(ctx)
	if err != nil {
		return err
	}
	keep := time.Duration(w.Config.Daemon.KeepDays) * 24 * time.Hour
	pruned, err := h.Prune(ctx, time.Now(), history.Retention{
		Checks: keep, Episodes: keep, Publishes: keep, Runs: min(keep, runsKept), Bytes: int64(w.Config.Daemon.MaxSizeMB) * 1_000_000,
	})
	if err != nil {
		return err
	}
	w.options.Events.Line("history  deleted %d checks, %d episodes, %d publishes, %d runs; %d bytes less", pruned.Checks, pruned.Episodes, pruned.Publishes, pruned.Runs, pruned.Bytes)
	return w.pruneTargets(ctx, h)
}

// pruneTargets has the targets drop the releases that are beyond the newest.
func (w *Workspace) pruneTargets(ctx context.Context, h *history.Store) error {
	keep, err := w.retention(ctx, h)
	if err != nil {
		return err
	}
	dests, err := w.Destinations(ctx)
	book := w.newLagBook(dests)
	book.read(ctx)
	keep.Hold = staged.Held(book.record.Staged, time.Now())
	errs := []error{err}
	for _, p := range pruneAll(ctx, dests, keep) {
		if p.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, p.err))
			continue
		}
		w.options.Events.Note(p.name, "old releases are dropped")
	}
	return errors.Join(errs...)
}
