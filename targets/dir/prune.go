package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"mirror/site"
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
		names, held, err := p.held()
		if err != nil {
			return fmt.Errorf("dir: prune: %w", err)
		}
		past, err := p.sequence(live.Release)
		if err != nil {
			return err
		}
		var lived []site.ID
		for _, past := range past {
			lived = append(lived, past.Release)
		}
		expired := r.Expired(held, lived)
		held = slices.DeleteFunc(held, func(h targets.Held) bool { return slices.Contains(expired, h.Release) })
		var errs []error
		for _, name := range names {
			if ctx.Err() != nil {
				errs = append(errs, ctx.Err())
				break
			}
			link := path.Join(releases, name)
			kept := slices.ContainsFunc(held, func(h targets.Held) bool { return h.Release == releaseOf(link) })
			if link != live.Revision && (!kept || isPartial(name)) {
				errs = append(errs, p.releases.RemoveAll(name))
			}
		}
		errs = append(errs, t.shortenGrace(p, live))
		return errors.Join(errs...)
	})
}

// held names what is ours in the folder of releases, and the releases of which there is a
// whole copy.
func (p *place) held() (names []string, held []targets.Held, err error) {
	entries, err := fs.ReadDir(p.releases.FS(), ".")
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	youngest := map[site.ID]time.Duration{}
	for _, e := range entries {
		id := releaseOf(path.Join(releases, e.Name()))
		if id == site.None {
			continue
		}
		names = append(names, e.Name())
		info, err := e.Info()
		if err != nil || !e.IsDir() || isPartial(e.Name()) {
			continue
		}
		age := now.Sub(info.ModTime())
		if least, seen := youngest[id]; !seen || age < least {
			youngest[id] = age
		}
	}
	for id, age := range youngest {
		held = append(held, targets.Held{Release: id, Age: age})
	}
	return names, held, nil
}
