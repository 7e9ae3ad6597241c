package s3

import (
	"context"
	"slices"

	"mirror/site"
)

// carryOut takes the state to committing, does or undoes the change, and brings the
// state to rest. A crash anywhere in between leaves a state that names the change.
func (t *Target) carryOut(ctx context.Context, h held, ch *change, undo bool) error {
	next := &state{
		Version: version, Phase: committing, Revision: newNonce(), From: ch.From, To: ch.To, Change: ch.path,
		Release: h.was(), Past: h.past(), Beacons: beaconsOf(h, ch), Records: h.records(),
		Undo: undo, Owner: t.owner, Holder: newNonce(),
	}
	h, err := t.writeState(ctx, h, next)
	if err != nil {
		return err
	}
	todo := t.doSteps(ch)
	if undo {
		todo = undoSteps(ch)
	}
	r := &run{bucket: t.bucket, steps: todo, gone: map[string]bool{}, made: map[string]copied{}}
	h, err = t.underLease(ctx, h, r.converge)
	if err != nil {
		t.release(ctx, h)
		return err
	}
	if undo {
		return t.settleUndone(ctx, h, ch)
	}
	return t.settleDone(ctx, h, ch, r.made)
}

// was is the release that was live before, also while committing.
func (h held) was() site.ID {
	if h.none() {
		return site.None
	}
	return h.Release
}

func (h held) past() []site.ID {
	if h.none() {
		return nil
	}
	return h.Past
}

func beaconsOf(h held, ch *change) []string {
	next := ""
	if ch.Beacon != nil {
		next = ch.Beacon.Path
	}
	all := h.beacons(next)
	slices.Sort(all)
	return slices.Compact(all)
}

// settleDone records what the listing shows now, and says that the release is live.
func (t *Target) settleDone(ctx context.Context, h held, ch *change, made map[string]copied) error {
	recorded, err := t.recordLive(ctx, h, ch, made)
	if err != nil {
		return err
	}
	next := &state{
		Version: version, Phase: live, Revision: newNonce(), Release: ch.To, Past: h.pastAfter(ch.To), Records: recorded,
		From: ch.From, To: ch.To, Change: ch.path,
	}
	if ch.Beacon != nil {
		next.Beacons = []string{ch.Beacon.Path}
	}
	_, err = t.writeState(ctx, h, next)
	return err
}

// settleUndone puts the state document back as it was.
func (t *Target) settleUndone(ctx context.Context, h held, ch *change) error {
	if len(ch.Before) == 0 {
		return t.removeOne(ctx, statePath)
	}
	_, err := t.writeRaw(ctx, h, ch.Before)
	return err
}

// recordable bounds the facts that one commit sends, by what it changes: those beyond are
// found again, and recorded by a later one.
func recordable(want entries, ch *change) int {
	changed := int64(0)
	for _, c := range ch.Copies {
		changed += want[c.Path].Size
	}
	return 2*maxRecord + int(changed/80) // a tenth of the changed bytes, at eight bytes a fact
}

// recordLive lists the bucket after a commit and stores what is certain of its objects.
// It returns the paths of all records of use.
func (t *Target) recordLive(ctx context.Context, h held, ch *change, made map[string]copied) ([]string, error) {
	doc, err := t.readSnapshot(ctx, ch.To)
	if err != nil {
		return nil, err
	}
	want, err := t.readEntries(ctx, doc)
	if err != nil {
		return nil, err
	}
	listed, err := t.listSite(ctx, h)
	if err != nil {
		return nil, err
	}
	old, known := t.loadRecords(ctx, h.Records)
	alive, fresh := facts{}, []fact(nil)
	for path, e := range want {
		o, there := listed[path]
		f := factOf(o, e.content)
		switch {
		case !there || o.Size != e.Size:
		case known.has(f):
			alive[f] = struct{}{}
		case t.now.has(o, e.content), made[path].isThat(o):
			fresh = append(fresh, f)
		}
	}
	for i := range old {
		old[i].alive = slices.DeleteFunc(slices.Clone(old[i].alive), func(f fact) bool { return !alive.has(f) })
	}
	keep, store := mergeRecords(old, fresh[:min(len(fresh), recordable(want, ch))])
	if len(store) == 0 {
		return keep, nil
	}
	path, err := t.writeByDigest(ctx, records, encodeFacts(store))
	return append(keep, path), err
}
