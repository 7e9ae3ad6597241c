package s3

import (
	"context"
	"maps"
	"slices"

	"mirror/diff"
	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/verified"
)

// compare decides for each wanted file whether the bucket holds it, with its headers. An
// object is trusted without reading it only where a fact about just this object is
// recorded; a difference in size is a change at once; all others are read and hashed.
func (t *Target) compare(ctx context.Context, h documents.StateDocument, inv inventory, want documents.Entries, recorded verified.FactSet, beaconPath string) (comparison, error) {
	beacons := h.BeaconPaths(beaconPath)
	now := t.graceOf(ctx, h)
	have := map[string]verified.Content{}
	found := comparison{alive: verified.FactSet{}}
	var unsure []bucket.Object
	var kept []string
	for path, o := range inv.site {
		e, wanted := want[path]
		if wanted && e.Size == o.Size {
			if f, ok := recorded.Vouches(o, e.Content); ok {
				have[path], found.alive[f] = e.Content, struct{}{}
				continue
			}
			if f, ok := t.verified.Vouches(o, e.Content); ok {
				have[path], found.fresh = e.Content, append(found.fresh, f)
				continue
			}
		}
		switch {
		case !wanted && slices.Contains(beacons, path):
		case !wanted && t.keep.Match(path):
			kept = append(kept, path)
		case !wanted && now.Has(path):
			found.ended = append(found.ended, path)
		case !wanted || e.Size != o.Size:
			have[path] = verified.Content{}
		default:
			unsure = append(unsure, o)
		}
	}
	unsure = t.withoutReplaced(ctx, h, unsure, recorded, have)
	read, err := t.hashAll(ctx, unsure)
	if err != nil {
		return comparison{}, err
	}
	maps.Copy(have, read)
	for path, c := range read {
		if f, ok := t.verified.Vouches(inv.site[path], c); ok && c == want[path].Content {
			found.fresh = append(found.fresh, f)
		}
	}
	wanted := make(map[string]verified.Content, len(want))
	for path, e := range want {
		wanted[path] = e.Content
	}
	found.Changes = diff.BetweenBytes(have, wanted, sameBytes)
	maps.DeleteFunc(have, func(_ string, c verified.Content) bool { return c == verified.Content{} })
	slices.Sort(kept)
	found.known, found.kept = have, kept
	t.leaveInGrace(ctx, h, inv, want, now, &found)
	return found, nil
}

// withoutReplaced leaves out the objects that are known to hold what the live release has, which is not what is
// wanted.
func (t *Target) withoutReplaced(ctx context.Context, h documents.StateDocument, unsure []bucket.Object, recorded verified.FactSet, have map[string]verified.Content) []bucket.Object {
	if len(unsure) == 0 || h.Base() == site.None {
		return unsure
	}
	s, err := t.docs.ReadSnapshot(ctx, h.Base())
	if err != nil {
		return unsure
	}
	was, err := t.docs.ReadEntries(ctx, s)
	if err != nil {
		return unsure
	}
	return slices.DeleteFunc(unsure, func(o bucket.Object) bool {
		e, ok := was[o.Path]
		if !ok {
			return false
		}
		if _, ok = recorded.Vouches(o, e.Content); ok {
			have[o.Path] = e.Content
		}
		return ok
	})
}

// sameBytes reports whether two contents are served with the same bytes. Another encoding
// decodes to other bytes, a redirect shows none of them, and a header that is never set here may change them.
func sameBytes(have, want verified.Content) bool {
	return have.Digest == want.Digest && bucket.ContentCoding(have.Headers.Encoding) == bucket.ContentCoding(want.Headers.Encoding) &&
		have.Headers.Redirect == want.Headers.Redirect && have.Headers.Other == want.Headers.Other
}
