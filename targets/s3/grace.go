package s3

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mirror/site"
	"mirror/targets/grace"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// Grace lists the files of earlier releases that are served.
func (t *Target) Grace(ctx context.Context) (grace.List, error) {
	h, err := t.docs.ReadState(ctx)
	if err != nil {
		return nil, fmt.Errorf("grace: %w", err)
	}
	return t.graceOf(ctx, h), nil
}

// graceOf reads the list of a state. Where it is gone or damaged the files on it count as extra.
func (t *Target) graceOf(ctx context.Context, h documents.StateDocument) grace.List {
	path := h.GracePath()
	if path == "" {
		return nil
	}
	l, err := t.docs.ReadGrace(ctx, path)
	if err != nil {
		t.log.Warn("the list of files of earlier releases is not readable; they count as extra", "path", path, "err", err)
	}
	return l
}

// writeGrace stores a list and returns where, "" for an empty one.
func (t *Target) writeGrace(ctx context.Context, l grace.List) (string, error) {
	if len(l) == 0 {
		return "", nil
	}
	return t.docs.WriteGrace(ctx, l)
}

// leaveInGrace takes the files of earlier releases that stay out of what is deleted. now are those that are
// there before. A file whose size is another than the live release had is not one.
func (t *Target) leaveInGrace(ctx context.Context, h documents.StateDocument, inv inventory, want documents.Entries, now grace.List, c *comparison) {
	if !t.stays.On() && len(now) == 0 {
		return
	}
	next := now
	if !t.isLive(h, want) {
		next = t.stays.Next(now, t.liveManifest(ctx, h), storedManifest(want), time.Now(), t.keep.Match)
	}
	next = next.Without(func(path string) bool {
		e, _ := next.Find(path)
		o, there := inv.site[path]
		return !there || o.Size != e.Size
	})
	c.grace = next
	c.Delete = slices.DeleteFunc(c.Delete, next.Has)
	c.ended = slices.DeleteFunc(c.ended, next.Has)
	slices.Sort(c.ended)
}

// isLive reports whether what is wanted is live at rest already.
func (t *Target) isLive(h documents.StateDocument, want documents.Entries) bool {
	return !h.None() && h.Phase == documents.PhaseLive && manifestOf(want).ID() == h.Release
}

// liveManifest returns the files of the live release, none where its document is not readable.
func (t *Target) liveManifest(ctx context.Context, h documents.StateDocument) site.Manifest {
	if !t.stays.On() || h.LiveBefore() == site.None {
		return nil
	}
	_, all, err := t.pastEntries(ctx, h.LiveBefore())
	if err != nil && !bucket.IsMissing(err) {
		t.log.Warn("the live release's document is not readable; none of its files stays", "err", err)
	}
	return storedManifest(all)
}

// storedManifest lists entries with the sizes that the objects have.
func storedManifest(all documents.Entries) site.Manifest {
	m := manifestOf(all)
	for i := range m {
		m[i].Size = all[m[i].Path].Size
	}
	return m
}
