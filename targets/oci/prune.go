package oci

import (
	"context"
	"slices"
	"strings"

	"mirror/targets"
)

// Prune deletes the tags of staged releases, and of their lists of files, that r lets expire.
// What was live is told by the lists. The registry's own garbage collection frees the space.
// Where the registry refuses to delete tags, they stay, and the log says so.
func (t *Target) Prune(ctx context.Context, r targets.Retention) error {
	live, err := t.look(ctx, t.tag)
	if err != nil {
		return err
	}
	tags, err := t.reg.tags(ctx, t.tag.Context())
	if err != nil {
		return err
	}
	held := heldReleases(tags)
	if len(held) <= r.Places() {
		return nil
	}
	lists, err := t.listsOf(ctx, tags)
	if err != nil {
		return err
	}
	for i := range held {
		held[i].Age = lists.age(held[i].Release)
	}
	expired := r.Expired(held, lists.lived(live.release()))
	slices.Sort(tags) // an image before its list, without which its age is not known
	for _, name := range tags {
		id, ours := stagedRelease(strings.TrimSuffix(name, listSuffix))
		if !ours || id == live.release() || !slices.Contains(expired, id) {
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

// heldReleases lists the releases that have a tag, of an image or of a list.
func heldReleases(tags []string) []targets.Held {
	var held []targets.Held
	for _, name := range tags {
		id, ours := stagedRelease(strings.TrimSuffix(name, listSuffix))
		if h := (targets.Held{Release: id}); ours && !slices.Contains(held, h) {
			held = append(held, h)
		}
	}
	return held
}
