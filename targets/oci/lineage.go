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
