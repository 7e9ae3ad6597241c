package s3

import (
	"context"
	"io"

	"mirror/site"
	"mirror/targets/s3/internal/documents"
)

// recorded reports whether the bucket holds a record of a release that was live there: the
// state document or, where that was lost, a beacon. A beacon that cannot be read is none.
func (t *Target) recorded(ctx context.Context, h documents.StateDocument, inv inventory, beaconPath string) bool {
	if !h.None() {
		return true
	}
	o, ok := inv.site[beaconPath]
	if !ok || o.Size > site.MaxBeacon {
		return false
	}
	r, err := t.bucket.Open(ctx, beaconPath)
	if err != nil {
		return false
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, site.MaxBeacon))
	if err == nil {
		_, err = site.ParseBeacon(text)
	}
	return err == nil
}
