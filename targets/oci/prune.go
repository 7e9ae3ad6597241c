package oci

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"mirror/site"
	"mirror/targets"
)

var _ targets.Pruner = (*Target)(nil)

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

// renewed is how old the note of a staging may be for it not to be written again.
const renewed = targets.StagingGrace / 4

// pastOf returns what is and was live, for a release that is to follow it: the latest first.
// One that is live itself goes on following what it did.
func (t *Target) pastOf(ctx context.Context, id, live site.ID) ([]site.ID, error) {
	if live == site.None {
		return nil, nil
	}
	now, err := t.list(ctx, live)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	past := now.past // of a list that cannot be read nothing is known
	if live != id {
		past = append([]site.ID{live}, slices.DeleteFunc(past, func(p site.ID) bool { return p == id || p == live })...)
	}
	return past[:min(len(past), maxRemembered)], nil
}

// noteStaging sees to it that the list of a staged release says that it was staged lately and
// what it follows.
func (t *Target) noteStaging(ctx context.Context, rel *site.Release, past []site.ID) error {
	now, err := t.list(ctx, rel.ID())
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		list, err := writeList(rel.Manifest)
		if err != nil {
			return err
		}
		defer list.Close()
		return t.pushList(ctx, rel, list, past)
	case slices.Equal(now.past, past) && time.Since(now.staged) < renewed:
		return nil
	}
	return t.note(ctx, now, past)
}

// noteLive notes what a release that is live now has followed, where that was not what was
// live when it was staged. A failure costs only the order in which releases are dropped.
func (t *Target) noteLive(ctx context.Context, s targets.Swap) {
	now, err := t.list(ctx, s.To)
	if err != nil || len(now.past) > 0 && now.past[0] == s.From.Release || s.From.Release == site.None || s.From.Release == s.To {
		return
	}
	past, err := t.pastOf(ctx, s.To, s.From.Release)
	if err == nil {
		err = t.note(ctx, now, past)
	}
	if err != nil {
		t.log.Warn("what was live before is not noted", "target", t.tag.String(), "err", err)
	}
}

// note writes a list's annotations anew.
func (t *Target) note(ctx context.Context, l list, past []site.ID) error {
	m := l.manifest.DeepCopy()
	maps.Copy(m.Annotations, noteOf(past))
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return t.reg.put(ctx, t.listTag(l.release), manifest{raw, m.MediaType})
}
