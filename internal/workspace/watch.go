package workspace

import (
	"context"
	"fmt"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/internal/watch"
	"mirror/site"
)

// WatchLocal finds out where the live origins differ from the local site: what a watch of them
// is to follow.
func (w *Workspace) WatchLocal(ctx context.Context) ([]origin.Endpoint, watch.Options, error) {
	if len(w.Origins()) == 0 {
		return nil, watch.Options{}, usage(fmt.Errorf("%s: no target has an origin, so there is nothing to watch", w.Config.File))
	}
	rel, done, err := w.baseline(ctx, &targetSet{})
	if err != nil {
		return nil, watch.Options{}, err
	}
	defer done()
	v, err := check.Run(ctx, w.Origins(), w.lookFor(rel, w.removed(ctx, rel.Manifest)))
	if err != nil {
		return nil, watch.Options{}, err
	}
	o := differing(v, rel.Manifest, w.unwatchable(rel.Manifest))
	o.Began, o.Release, o.Manifest, o.BeaconPath, o.Newer = time.Now(), rel.ID(), rel.Manifest, w.beacon(), w.newer(ctx, rel)
	o.RateKey = "check.rate"
	return w.Origins(), o, nil
}

// differing lists the pages that some origin does not serve as the manifest says, and what
// is served there.
func differing(v diff.Verdict, m site.Manifest, skip func(site.File) bool) watch.Options {
	index, earlier := map[string]int{}, map[string][]site.Digest{}
	var changes []diff.Change
	for _, o := range v.Origins {
		differences := o.Differences
		if o.Err != nil || len(differences) == 1 && differences[0].Path == "*" {
			differences = everyPage(m)
		}
		for _, d := range differences {
			f, inRelease := m.Find(d.Path)
			if skip(f) {
				continue
			}
			if i, ok := index[d.Path]; ok {
				if changes[i].Old.IsZero() && d.Kind != diff.Missing {
					changes[i].Old = d.Got
				}
				earlier[d.Path] = append(earlier[d.Path], d.Got)
				continue
			}
			if inRelease || d.Kind == diff.Extra {
				index[d.Path] = len(changes)
				changes = append(changes, diff.Change{Path: d.Path, Old: d.Got, New: f.Digest})
			}
		}
	}
	return watch.Options{Changes: changes[:min(len(changes), watchedPages)], Earlier: earlier}
}

// everyPage is for an origin that differs as a whole.
func everyPage(m site.Manifest) []diff.Difference {
	all := make([]diff.Difference, len(m))
	for i, f := range m {
		all[i] = diff.Difference{Path: f.Path, Kind: diff.Missing}
	}
	return all
}
