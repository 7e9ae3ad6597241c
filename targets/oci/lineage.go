package oci

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"mirror/site"
	"mirror/targets"
)

// renewed is how old the note of a staging may be for it not to be written again.
const renewed = targets.StagingGrace / 4

// pastOf returns what is and was live, for a release that is to follow it: the latest first. before is
// what live followed. A release that is live itself goes on following what it did.
func pastOf(id, live site.ID, before []site.ID) []site.ID {
	if live == site.None {
		return nil
	}
	if live != id {
		before = append([]site.ID{live}, slices.DeleteFunc(slices.Clone(before), func(p site.ID) bool { return p == id || p == live })...)
	}
	return before[:min(len(before), maxRemembered)]
}

// liveList returns the list of the live release: as this machine wrote it, or as the registry has it.
func (t *Target) liveList(ctx context.Context, live *head) (list, error) {
	id := live.release()
	if id == site.None {
		return list{}, nil
	}
	if made, ok := t.recorded(fromStage, live.digest()); ok && made.Layers != nil {
		return list{release: id, past: made.Past, layers: made.Lists, own: true}, nil
	}
	return t.list(ctx, id)
}

// noteStaging sees to it that the list of a staged release says that it was staged lately and
// what it follows.
func (t *Target) noteStaging(ctx context.Context, rel *site.Release, past []site.ID) error {
	now, err := t.list(ctx, rel.ID())
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		files, err := writeList(rel.Manifest)
		if err != nil {
			return err
		}
		defer files.Close()
		_, err = t.pushList(ctx, rel, files, past)
		return err
	case slices.Equal(now.past, past) && time.Since(now.staged) < renewed:
		return nil
	}
	return t.note(ctx, now, past)
}

// noteLive notes what a release that is live now has followed, where that was not what was
// live when it was staged. image is its digest, and staged its list where this process staged it. A failure costs only the
// order in which releases are dropped.
func (t *Target) noteLive(ctx context.Context, s targets.Swap, image string, staged list) {
	now, err := staged, error(nil)
	if now.manifest == nil {
		now, err = t.list(ctx, s.To)
	}
	if err != nil || len(now.past) > 0 && now.past[0] == s.From.Release || s.From.Release == site.None || s.From.Release == s.To {
		return
	}
	before, err := t.list(ctx, s.From.Release)
	if err != nil && ctx.Err() == nil {
		before, err = list{}, nil // nothing is known of what it followed
	}
	past := pastOf(s.To, s.From.Release, before.past)
	if err == nil {
		err = t.note(ctx, now, past)
	}
	if made, ok := t.recorded(fromStage, image); ok && err == nil {
		made.Past = past
		t.keep(fromStage, image, made)
	}
	if err != nil {
		t.log.Warn("the previous live release could not be recorded", "target", t.tag.String(), "err", err)
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
