package workspace

import (
	"context"
	"errors"
	"slices"

	"mirror/internal/history"
	"mirror/site"
	"mirror/targets"
)

// remember hands the history to do.
func (w *Workspace) remember(ctx context.Context, do func(h *history.Store) error) error {
	h, err := w.History(ctx)
	if err == nil {
		err = do(h)
	}
	if errors.Is(err, history.ErrBusy) {
		w.options.Warnings.met(err)
		err = errors.Join(err, w.Close()) // the next one to open a busy history waits for less long
	}
	return err
}

// removed lists the paths that releases published from here had and m has not. Where the
// history cannot be read that is a warning, and they go unseen.
func (w *Workspace) removed(ctx context.Context, m site.Manifest) []string {
	var paths []string
	err := w.remember(ctx, func(h *history.Store) (err error) {
		paths, err = h.Removed(ctx, m)
		return err
	})
	if err != nil {
		w.options.Warnings.Add("pages that earlier releases had are not looked for: %v", err)
	}
	return paths
}

// remembersAny reports whether any release is remembered here.
func (w *Workspace) remembersAny(ctx context.Context) bool {
	_, err := w.lastPublished(ctx)
	return err == nil
}

// LastPublished returns the last release that went live from here.
func (w *Workspace) LastPublished(ctx context.Context) (site.Past, error) {
	return w.lastPublished(ctx)
}

// lastPublished returns the last release that went live from here; errNeverPublished where
// there is none.
func (w *Workspace) lastPublished(ctx context.Context) (last site.Past, err error) {
	err = w.remember(ctx, func(h *history.Store) error {
		past, err := h.Past(ctx, 1, nil)
		if err == nil && len(past) == 0 {
			return errNeverPublished
		}
		if err == nil {
			last = past[0]
		}
		return err
	})
	return last, err
}

var errNeverPublished = errors.New("nothing was published from here yet")

// manifestsOf returns the manifests, as far as they are remembered, of what is live.
func (w *Workspace) manifestsOf(ctx context.Context, plans map[string]targets.Plan) []site.Manifest {
	var known []site.Manifest
	err := w.remember(ctx, func(h *history.Store) error {
		seen := map[site.ID]bool{}
		for _, plan := range plans {
			id := plan.Live.Release
			if id == site.None || seen[id] {
				continue
			}
			seen[id] = true
			p, ok, err := h.Release(ctx, id)
			if err != nil {
				return err
			}
			if ok {
				known = append(known, p.Manifest)
			}
		}
		return nil
	})
	if err != nil {
		w.options.Warnings.Add("what was live is not known from here, and is asked of the origins: %v", err)
	}
	return known
}

// newer looks up releases that were published from here after rel.
func (w *Workspace) newer(ctx context.Context, rel *site.Release) func(site.ID) (site.Manifest, bool) {
	return func(id site.ID) (site.Manifest, bool) {
		var found site.Past
		var ok bool
		err := w.remember(ctx, func(h *history.Store) error {
			all, err := h.Sequence(ctx)
			if err != nil {
				return err
			}
			at := func(id site.ID) int {
				return slices.IndexFunc(all, func(p site.Past) bool { return p.Release == id })
			}
			theirs, ours := at(id), at(rel.ID())
			if theirs < 0 || ours < theirs { // the last published is first; a site that never was is newer than all
				return nil
			}
			found, ok, err = h.Release(ctx, id)
			return err
		})
		return found.Manifest, err == nil && ok
	}
}
