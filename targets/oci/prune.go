package oci

import (
	"context"
	"slices"
	"strings"

	"mirror/site"
)

// Prune deletes the tags of staged releases, and of their lists of files, that are neither
// kept nor live. The registry's
// own garbage collection frees the space. Where the registry refuses to delete tags, they
// stay, and the log says so.
func (t *Target) Prune(ctx context.Context, keep []site.ID) error {
	live, err := t.look(ctx, t.tag)
	if err != nil {
		return err
	}
	tags, err := t.reg.tags(ctx, t.tag.Context())
	if err != nil {
		return err
	}
	for _, name := range tags {
		id, ours := stagedRelease(strings.TrimSuffix(name, listSuffix))
		if !ours || id == live.release() || slices.Contains(keep, id) {
			continue
		}
		deleted, err := t.reg.untag(ctx, t.tag.Context().Tag(name))
		if err != nil {
			return err
		}
		if !deleted {
			t.log.Info("the registry deletes no tags; staged releases stay", "target", t.tag.String())
			return nil
		}
	}
	return nil
}
