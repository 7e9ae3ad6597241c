package s3

import (
	"context"
	"slices"
	"time"

	"mirror/site"
)

// carryOut takes the state to committing, does or undoes the change, and brings the
// state to rest. A crash anywhere in between leaves a state that names the change.
func (t *Target) carryOut(ctx context.Context, h held, ch *change, undo bool) error {
	next := &state{
		Version: version, Phase: committing, Revision: newNonce(), From: ch.From, To: ch.To, Change: ch.path,
		Release: h.was(), Previous: h.past(), Beacons: beaconsOf(h, ch), Records: h.records(),
		Undo: undo, Owner: t.owner, Holder: newNonce(),
	}
	began := time.Now()
	h, err := t.writeState(ctx, h, next)
	if err != nil {
		return err
	}
	todo := t.doSteps(ch)
	if undo {
		todo = undoSteps(ch)
	}
	r := &run{bucket: t.bucket, steps: todo, gone: map[string]bool{}, made: map[string]copied{}}
	recorded := h.Records
	h, err = t.underLease(ctx, h, began, func(ctx context.Context) error {
		err := r.converge(ctx)
		if err == nil && !undo {
			recorded = t.record(ctx, *next, ch, r.made)
		}
		return err
	})
	if err != nil {
		t.release(ctx, h)
		return err
	}
	if undo {
		return t.settleUndone(ctx, h, ch)
	}
	return t.settleDone(ctx, h, ch, recorded)
}

// record records what is certain of the objects after a commit, and returns the paths of all
// records of use. What cannot be recorded is read again by a later plan; the commit is done.
func (t *Target) record(ctx context.Context, s state, ch *change, made map[string]copied) []string {
	ctx, cancel := context.WithTimeout(ctx, t.recording)
	defer cancel()
	recorded, err := t.recordLive(ctx, held{state: &s}, ch, made)
	if err != nil {
		t.log.Warn("what the bucket holds is not recorded; its objects are read again", "err", err)
		return s.Records
	}
	return recorded
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
	return h.Previous
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

// settleDone says that the release is live.
func (t *Target) settleDone(ctx context.Context, h held, ch *change, recorded []string) error {
	next := &state{
		Version: version, Phase: live, Revision: newNonce(), Release: ch.To, Previous: h.pastAfter(ch.To), Records: recorded,
		From: ch.From, To: ch.To, Change: ch.path,
	}
	if ch.Beacon != nil {
		next.Beacons = []string{ch.Beacon.Path}
	}
	_, err := t.writeOwn(ctx, h, next)
	return err
}

// settleUndone puts the state document back as it was.
func (t *Target) settleUndone(ctx context.Context, h held, ch *change) error {
	if len(ch.Before) > 0 {
		_, err := t.writeOwnRaw(ctx, h, ch.Before)
		return err
	}
	if _, err := t.writeOwn(ctx, h, h.state); err != nil {
		return err // it is not ours any more
	}
	return t.removeOne(ctx, statePath)
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
