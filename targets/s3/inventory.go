package s3

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// inventory is what listings showed.
type inventory struct {
	site map[string]bucket.Object // the site's own keys, beacons among them
	own  map[string]bucket.Object // what lies under .mirror/
}

// inventory lists everything.
func (t *Target) inventory(ctx context.Context, h documents.StateDocument) (inv inventory, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { inv.site, err = t.listSite(ctx, h); return err })
	g.Go(func() (err error) { inv.own, err = t.listOwn(ctx); return err })
	return inv, g.Wait()
}

func (t *Target) listOwn(ctx context.Context) (map[string]bucket.Object, error) {
	list, err := t.bucket.List(ctx, documents.OwnPrefix)
	out := make(map[string]bucket.Object, len(list))
	for _, o := range list {
		out[o.Path] = o
	}
	return out, err
}

// listSite lists the site's keys. It jumps over our own folder, which would double the
// pages; with a service that cannot jump it reads on from the start. It jumps to a key
// that is there once a state is: some services drop the first key after one that is not.
func (t *Target) listSite(ctx context.Context, h documents.StateDocument) (map[string]bucket.Object, error) {
	inOwn := func(path string) bool { return !h.None() && strings.HasPrefix(path, documents.OwnPrefix) }
	list, stopped, err := t.bucket.ListFrom(ctx, "", "", inOwn)
	if err == nil && stopped {
		var rest []bucket.Object
		rest, _, err = t.bucket.ListFrom(ctx, "", documents.ProbePath, func(string) bool { return false })
		list = append(list, rest...)
	}
	out := make(map[string]bucket.Object, len(list))
	for _, o := range list {
		if documents.IsSite(o.Path) {
			out[o.Path] = o
		}
	}
	return out, err
}

// look reads the state and lists everything.
func (t *Target) look(ctx context.Context) (documents.StateDocument, inventory, error) {
	h, err := t.docs.ReadState(ctx)
	if err != nil {
		return documents.StateDocument{}, inventory{}, err
	}
	inv, err := t.inventory(ctx, h)
	return h, inv, err
}

// glance reads the state. Only where there is none it lists the site, whose revision
// tells what is live then.
func (t *Target) glance(ctx context.Context) (documents.StateDocument, inventory, error) {
	h, err := t.docs.ReadState(ctx)
	if err != nil || !h.None() {
		return h, inventory{}, err
	}
	listed, err := t.listSite(ctx, h)
	return h, inventory{site: listed}, err
}

// holds reports whether the staged content of a file is there.
func (inv inventory) holds(d site.Digest, size int64) bool {
	o, ok := inv.own[documents.ObjectPath(d)]
	return ok && o.Size == size
}

// revision names content that has no state document of ours: a digest of its listing,
// without times, so that a rollback brings it back.
func (inv inventory) revision() string {
	if len(inv.site) == 0 {
		return ""
	}
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(inv.site)) {
		fmt.Fprintf(h, "%q %q %d\n", path, inv.site[path].ETag, inv.site[path].Size)
	}
	return fmt.Sprintf("listing-%x", h.Sum(nil))
}

// liveOf tells the live release. While a commit is under way, that is none.
func liveOf(h documents.StateDocument, inv inventory) targets.Live {
	switch {
	case h.None():
		return targets.Live{Revision: inv.revision()}
	case h.Phase == documents.PhaseCommitting:
		return targets.Live{Revision: h.Revision}
	}
	return targets.Live{Release: h.Release, Revision: h.Revision}
}

// isOf reports whether a state was made by this very swap.
func isOf(h documents.StateDocument, s targets.Swap) bool {
	return !h.None() && h.From.Revision == s.From.Revision && h.To == s.To
}
