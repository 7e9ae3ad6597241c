package workspace

import (
	"context"
	"errors"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/site"
)

// liveFor tells for how long the release has been live: by the history here, else by the
// earliest of the beacons that claim it. It is negative where neither tells, or tells of a time
// to come.
func (w *Workspace) liveFor(ctx context.Context, v diff.Verdict) time.Duration {
	var since time.Time
	_ = w.remember(ctx, func(h *history.Store) error { // without a history the beacons are left
		past, _, err := h.Release(ctx, v.Release)
		since = past.Published
		return err
	})
	if since.IsZero() {
		for _, o := range v.Origins {
			if o.Release == v.Release && !o.Published.IsZero() && (since.IsZero() || o.Published.Before(since)) {
				since = o.Published
			}
		}
	}
	if since.IsZero() {
		return -1
	}
	return time.Since(since)
}

// baseline returns the release to compare with: the site's folder, or where that is not
// there the last release that was published from here, or what most targets hold.
func (w *Workspace) baseline(ctx context.Context, held *targetSet) (*site.Release, func() error, error) {
	rel, err := w.scan(ctx)
	if err == nil {
		return rel.Release, rel.Close, nil
	}
	if !isMissing(err) {
		return nil, nil, err
	}
	last, pastErr := w.lastPublished(ctx)
	from := "published here on " + last.Published.Format(time.DateTime)
	if pastErr != nil {
		var ok bool
		if last, ok = held.most(ctx); !ok {
			return nil, nil, errors.Join(err, pastErr)
		}
		from = "which most targets hold"
	}
	w.options.Events.Line("site     %s is not there; comparing with release %s, %s", w.Config.Site.Dir, last.Release.Short(), from)
	return site.NewRelease(last.Manifest, nil, w.beacon(), last.Published), func() error { return nil }, nil
}

// published returns the release that was published last from here, where the site's folder
// has become another one since: what was never published is not missing anywhere.
func (w *Workspace) published(ctx context.Context, rel *site.Release) *site.Release {
	last, err := w.lastPublished(ctx)
	if err != nil || last.Release == rel.ID() {
		return rel
	}
	w.options.Events.Line("site     %s is not published as it is now; comparing with release %s, published here on %s",
		w.Config.Site.Dir, last.Release.Short(), last.Published.Format(time.DateTime))
	return site.NewRelease(last.Manifest, nil, w.beacon(), last.Published)
}
