package dir

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"mirror/targets"
)

// Prune removes the copies of releases that r lets expire, with their lists. What interrupted
// stagings left goes too: the lock says that none is under way. What went live when is told
// by the times of the lists.
func (t *Target) Prune(ctx context.Context, r targets.Retention) error {
	return t.locked(ctx, func(p *place) error {
		live, err := t.Live(ctx)
		if err != nil {
			return err
		}
		all, err := p.listing()
		if err != nil {
			return err
		}
		var errs []error
		abandoned := all.Partials(func(string, fs.FileInfo) bool { return true })
		for _, name := range slices.Concat(all.Expired(live, r, time.Now()), abandoned) {
			if ctx.Err() != nil {
				errs = append(errs, ctx.Err())
				break
			}
			errs = append(errs, p.releases.RemoveAll(name))
		}
		errs = append(errs, t.shortenGrace(p, live))
		return errors.Join(errs...)
	})
}
