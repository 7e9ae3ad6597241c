package oci

import (
	"context"
	"slices"
	"strings"

	"mirror/site"
	"mirror/targets"
)

// Prune deletes the tags of staged releases, and of their lists of files, that r lets expire.
// What was live is told by the lists. The registry's own garbage collection frees the space.
// Where the registry refuses to delete tags, they stay, and the log says so.
func (t *Target) Prune(ctx context.Context, r targets.Retention) error {
	tags, err := t.reg.tags(ctx, t.tag.Context())
	if err != nil {
		return err
	}
	held := heldReleases(tags)
	if len(held) <= r.Places() {
		return nil
	}
	live, lived, err := t.lineage(ctx)
	if err != nil {
		return err
	}
	ages, err := t.ages(ctx, held, slices.Concat(lived, r.Known))
	if err != nil {
		return err
	}
	for i := range held {
		held[i].Age = ages.age(held[i].Release)
	}
	expired := r.Expired(held, lived)
	slices.Sort(tags) // an image before its list, without which its age is not known
	for _, name := range tags {
		id, ours := stagedRelease(strings.TrimSuffix(name, listSuffix))
		if !ours || id == live || !slices.Contains(expired, id) {
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

// lineage returns what is live, and what is and was live, the latest first.
func (t *Target) lineage(ctx context.Context) (live site.ID, lived []site.ID, err error) {
	h, known := t.planned.sawLately()
	if !known {
		if h, err = t.look(ctx, t.tag); err != nil {
			return site.None, nil, err
		}
	}
	l, _ := t.liveList(ctx, h) // of a list that cannot be read nothing is known
	return h.release(), append([]site.ID{h.release()}, l.past...), ctx.Err()
}

// ages reads the lists that tell when a release was staged. Of one that was live that decides nothing.
func (t *Target) ages(ctx context.Context, held []targets.Held, lived []site.ID) (lists, error) {
	var ask []string
	for _, h := range held {
		if !slices.Contains(lived, h.Release) {
			ask = append(ask, t.listTag(h.Release).TagStr())
		}
	}
	return t.listsOf(ctx, ask)
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
