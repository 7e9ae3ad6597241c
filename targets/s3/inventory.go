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
)

// inventory is what listings showed.
type inventory struct {
	site map[string]object // the site's own keys, beacons among them
	own  map[string]object // what lies under .mirror/
}

// inventory lists everything.
func (t *Target) inventory(ctx context.Context, h held) (inv inventory, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { inv.site, err = t.listSite(ctx, h); return err })
	g.Go(func() (err error) { inv.own, err = t.listOwn(ctx); return err })
	return inv, g.Wait()
}

func (t *Target) listOwn(ctx context.Context) (map[string]object, error) {
	list, err := t.list(ctx, own)
	out := make(map[string]object, len(list))
	for _, o := range list {
		out[o.Path] = o
	}
	return out, err
}

// listSite lists the site's keys. It jumps over our own folder, which would double the
// pages; with a service that cannot jump it reads on from the start. It jumps to a key
// that is there once a state is: some services drop the first key after one that is not.
func (t *Target) listSite(ctx context.Context, h held) (map[string]object, error) {
	inOwn := func(path string) bool { return !h.none() && strings.HasPrefix(path, own) }
	list, stopped, err := t.listFrom(ctx, "", "", inOwn)
	if err == nil && stopped {
		var rest []object
		rest, _, err = t.listFrom(ctx, "", probePath, func(string) bool { return false })
		list = append(list, rest...)
	}
	out := make(map[string]object, len(list))
	for _, o := range list {
		if isSite(o.Path) {
			out[o.Path] = o
		}
	}
	return out, err
}

// look reads the state and lists everything.
func (t *Target) look(ctx context.Context) (held, inventory, error) {
	h, err := t.readState(ctx)
	if err != nil {
		return held{}, inventory{}, err
	}
	inv, err := t.inventory(ctx, h)
	return h, inv, err
}

// glance reads the state. Only where there is none it lists the site, whose revision
// tells what is live then.
func (t *Target) glance(ctx context.Context) (held, inventory, error) {
	h, err := t.readState(ctx)
	if err != nil || !h.none() {
		return h, inventory{}, err
	}
	listed, err := t.listSite(ctx, h)
	return h, inventory{site: listed}, err
}

// holds reports whether the staged content of a file is there.
func (inv inventory) holds(d site.Digest, size int64) bool {
	o, ok := inv.own[objectPath(d)]
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

// live tells the live release. While a commit is under way, that is none.
func (h held) live(inv inventory) targets.Live {
	switch {
	case h.none():
		return targets.Live{Revision: inv.revision()}
	case h.Phase == committing:
		return targets.Live{Revision: h.Revision}
	}
	return targets.Live{Release: h.Release, Revision: h.Revision}
}
