package workspace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/internal/history"
	"mirror/internal/lag"
	"mirror/internal/staged"
	"mirror/reports"
	"mirror/site"
	"mirror/targets"
)

// Withdraw takes back a release that is staged to go live later: the targets remember that, and drop it. The document is nil
// where nothing was done.
func (w *Workspace) Withdraw(ctx context.Context, prefix string) (*reports.Withdrawal, error) {
	journal, _, err := w.journal()
	if err != nil {
		return nil, err
	}
	defer journal.Close()
	dests, err := w.Destinations(ctx)
	if err != nil {
		return nil, err
	}
	book := w.newLagBook(dests)
	book.read(ctx)
	id, err := chooseWithdrawn(book.record.Staged, prefix)
	if err != nil {
		return nil, err
	}
	if err := refuseLive(ctx, id, dests); err != nil {
		return nil, err
	}
	failed := map[string]error{}
	if gone := staged.Withdraw(book.record.Staged, time.Now(), id); len(gone) > 0 {
		failed = book.add(ctx, lag.Record{Staged: gone})
	}
	keep := w.retentionWithout(ctx, book, id)
	doc := &reports.Withdrawal{Schema: reports.WithdrawalSchema, Release: id, Targets: []reports.WithdrawalTarget{}, Jobs: w.jobsFor(id)}
	var errs []error
	dropped := pruneAll(ctx, dests, keep)
	for _, d := range dests {
		row := reports.WithdrawalTarget{Name: d.Name}
		i := slices.IndexFunc(dropped, func(p pruned) bool { return p.name == d.Name })
		err := errors.Join(failed[d.Name], book.silent[d.Name])
		if i >= 0 {
			err = errors.Join(err, dropped[i].err)
		}
		if err != nil {
			row.Error = err.Error()
			errs = append(errs, fmt.Errorf("%s: %w", d.Name, err))
		} else {
			row.Dropped = i >= 0 && !holds(ctx, d, id)
		}
		doc.Targets = append(doc.Targets, row)
	}
	for _, name := range doc.Jobs {
		w.options.Warnings.Add("the job %s of the schedule still names release %s: take it out", name, id.Short())
	}
	return doc, errors.Join(errs...)
}

// chooseWithdrawn finds a release that waits by the first digits of its ID. A whole ID needs no record.
func chooseWithdrawn(all []staged.Release, prefix string) (site.ID, error) {
	id, err := chooseStaged(all, prefix)
	if errors.Is(err, errWentLive) {
		return site.None, fmt.Errorf("release %s %w, so it cannot be withdrawn (hint: mirror rollback makes the release before it live)", prefix, errWentLive)
	}
	return id, err
}

// refuseLive refuses to withdraw what visitors see.
func refuseLive(ctx context.Context, id site.ID, dests []targets.Destination) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for _, d := range dests {
		live, err := d.Live(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		if live.Release == id {
			return fmt.Errorf("release %s is live on %s; nothing was done (hint: mirror rollback makes the release before it live)", id.Short(), d.Name)
		}
	}
	return nil
}

// retentionWithout says what the targets may drop: the release, however young it is.
func (w *Workspace) retentionWithout(ctx context.Context, book *lagBook, id site.ID) targets.Retention {
	var keep targets.Retention
	err := w.remember(ctx, func(h *history.Store) (err error) {
		keep, err = w.retention(ctx, h)
		return err
	})
	if err != nil {
		w.options.Warnings.Add("the history here does not say which releases were live: %v", err)
	}
	keep.Hold = staged.Held(book.record.Staged, time.Now())
	keep.Drop = []site.ID{id}
	return keep
}

// holds reports whether a target can still give a release.
func holds(ctx context.Context, d targets.Destination, id site.ID) bool {
	from, ok := targets.As[targets.Restorer](ctx, d.Target)
	if !ok {
		return false
	}
	held, err := from.Restore(ctx, id)
	if err != nil {
		return false
	}
	_ = held.Close() // nothing was read
	return true
}

// jobsFor lists the jobs of the schedule that make a release live.
func (w *Workspace) jobsFor(id site.ID) []string {
	names := []string{}
	for _, j := range w.Config.Schedule {
		if j.Release != "" && strings.HasPrefix(string(id), strings.ToLower(j.Release)) {
			names = append(names, j.Name)
		}
	}
	return names
}
