package s3

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// inventory is what listings showed.
type inventory struct {
	site map[string]bucket.Object // the site's own keys, beacons among them; nil where they were not listed
	own  map[string]bucket.Object // what lies under .mirror/; nil where it was not listed
	// filled are the keys that a Stage has put in place while nothing is live: no part of site.
	filled map[string]bucket.Object
	fill   *filling // nil where the state names none
}

// sighting is the last listing, and the ETag of the state document that it goes with: as long as the
// document is the same, no publish has changed what the listing showed.
type sighting struct {
	mu   sync.Mutex // guards what follows
	etag string     // "" for none
	h    documents.StateDocument
	inv  inventory
}

// see remembers a listing.
func (t *Target) see(h documents.StateDocument, inv inventory) {
	t.seen.mu.Lock()
	defer t.seen.mu.Unlock()
	t.seen.etag, t.seen.h, t.seen.inv = h.ETag(), h, inv
}

// lastSeen returns the state document as it was read or written last, and what was listed beside it, where
// that is known.
func (t *Target) lastSeen() (documents.StateDocument, inventory, bool) {
	t.seen.mu.Lock()
	defer t.seen.mu.Unlock()
	return t.seen.h, t.seen.inv, t.seen.etag != ""
}

// recall returns the last listing, empty where the state document is another one by now.
func (t *Target) recall(h documents.StateDocument) inventory {
	t.seen.mu.Lock()
	defer t.seen.mu.Unlock()
	if h.ETag() == "" || h.ETag() != t.seen.etag {
		return inventory{}
	}
	return t.seen.inv
}

// carry has the last listing count for the state document that this process has just written in place of
// one, without a change to what is listed.
func (t *Target) carry(from, to documents.StateDocument) {
	t.seen.mu.Lock()
	defer t.seen.mu.Unlock()
	if from.ETag() != "" && t.seen.etag == from.ETag() {
		t.seen.etag, t.seen.h = to.ETag(), to
	}
}

// inventory returns everything, from the last listing as far as it still counts.
func (t *Target) inventory(ctx context.Context, h documents.StateDocument) (inventory, error) {
	inv := t.recall(h)
	var err error
	if inv.site == nil {
		if inv, err = t.list(ctx, h); err != nil {
			return inventory{}, err
		}
	}
	if inv.own == nil {
		if inv.own, err = t.listOwn(ctx); err != nil {
			return inventory{}, err
		}
	}
	t.docs.Listed(inv.own)
	t.see(h, inv)
	return inv, nil
}

func (t *Target) listOwn(ctx context.Context) (map[string]bucket.Object, error) {
	list, err := t.bucket.List(ctx, documents.OwnPrefix)
	out := make(map[string]bucket.Object, len(list))
	for _, o := range list {
		out[o.Path] = o
	}
	return out, err
}

// list lists the site's keys, in several parts at once where an earlier listing shows how to divide them.
// It jumps over our own folder where that does not end with the page on which it begins; with a service
// that cannot jump it reads on from the start. It jumps to a key that is there once a state is: some
// services drop the first key after one that is not.
func (t *Target) list(ctx context.Context, h documents.StateDocument) (inventory, error) {
	segments, own := t.segments(h)
	all, skipped, err := t.bucket.ListSegments(ctx, segments)
	if err == nil && skipped[own] {
		until := segments[own].Until
		var rest []bucket.Object
		rest, _, err = t.bucket.ListSegments(ctx, []bucket.Segment{{After: documents.ProbePath, Until: until}})
		all = append(all, rest...)
	}
	if err != nil {
		return inventory{}, err
	}
	inv := inventory{site: make(map[string]bucket.Object, len(all)), own: map[string]bucket.Object{}}
	for _, o := range all {
		switch {
		case strings.HasPrefix(o.Path, documents.OwnPrefix):
			inv.own[o.Path] = o
		case documents.IsSite(o.Path):
			inv.site[o.Path] = o
		}
	}
	if skipped[own] {
		inv.own = nil
	}
	if t.divide(inv); inv.own != nil {
		t.docs.Listed(inv.own)
	}
	return t.setFilledApart(ctx, h, inv)
}

// listSite lists the site's keys alone.
func (t *Target) listSite(ctx context.Context, h documents.StateDocument) (map[string]bucket.Object, error) {
	inv, err := t.list(ctx, h)
	return inv.site, err
}

// glance reads the state. Only where there is none it lists the site, whose revision
// tells what is live then.
func (t *Target) glance(ctx context.Context) (documents.StateDocument, inventory, error) {
	h, err := t.docs.ReadState(ctx)
	if err != nil || !h.None() {
		return h, inventory{}, err
	}
	inv := t.recall(h)
	if inv.site == nil {
		inv, err = t.list(ctx, h)
	}
	return h, inv, err
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
