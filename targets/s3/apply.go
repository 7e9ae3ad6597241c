package s3

import (
	"context"
	"slices"
	"time"

	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/verified"
)

// apply takes the state to committing, does or undoes the change, and brings the
// state to rest. A crash anywhere in between leaves a state that names the change. held is the
// reservation for it, nil for none.
func (t *Target) apply(ctx context.Context, h documents.StateDocument, ch *documents.Change, held *reservation, undo bool) error {
	next := &documents.State{
		Version: documents.Version, Phase: documents.PhaseCommitting, Revision: documents.NewNonce(), From: ch.From, To: ch.To, Change: ch.Path,
		Release: h.LiveBefore(), Previous: h.PreviousReleases(), Beacons: beaconsOf(h, ch), Records: h.RecordPaths(), Grace: h.GracePath(),
		Undo: undo, Owner: t.owner, Holder: documents.NewNonce(),
	}
	if h.None() || h.Phase != documents.PhaseCommitting || h.Change == ch.Path { // else what was put in place is a part of what the change begins at
		next.Fill = h.Fill
	}
	began := time.Now()
	h, err := t.beginCommit(ctx, h, next, held)
	if err != nil {
		return err
	}
	todo := t.doSteps(ch)
	if undo {
		todo = t.undoSteps(ch)
	}
	r := &run{bucket: t.bucket, steps: todo, gone: map[string]bool{}, made: map[string]bucket.Receipt{}}
	recorded := h.Records
	h, err = t.underLease(ctx, h, began, func(ctx context.Context) error {
		if err := t.clearFilling(ctx, documents.StateDocument{State: next, Fill: next.Fill}, ch); err != nil {
			return err
		}
		err := r.execute(ctx)
		if err == nil && !undo {
			recorded = t.record(ctx, *next, ch, r.made)
		}
		return err
	})
	if err != nil {
		t.release(ctx, h)
		return err
	}
	_, listed, _ := t.seen.lastSeen()
	t.seen.note(documents.StateDocument{}, inventory{}) // what was listed has changed
	if undo {
		return t.finishRollback(ctx, h, ch)
	}
	h, err = t.finishCommit(ctx, h, ch, recorded)
	if err != nil {
		return err
	}
	t.seen.note(h, inventory{own: listed.own})
	if r.confirmed() {
		t.made.Store(targets.Swap{From: targets.Live(ch.From), To: ch.To}, true)
	}
	return nil
}

// beginCommit takes the state to committing.
func (t *Target) beginCommit(ctx context.Context, h documents.StateDocument, next *documents.State, held *reservation) (documents.StateDocument, error) {
	if held != nil {
		return held.write(ctx, next)
	}
	return t.docs.WriteState(ctx, h, next)
}

// record records what is certain of the objects after a commit, and returns the paths of all
// records of use. What cannot be recorded is read again by a later plan; the commit is done.
func (t *Target) record(ctx context.Context, s documents.State, ch *documents.Change, made map[string]bucket.Receipt) []string {
	ctx, cancel := context.WithTimeout(ctx, t.recording)
	defer cancel()
	recorded, err := t.recordLive(ctx, s.Records, ch, made)
	if err != nil {
		t.log.Warn("the inventory of the bucket could not be saved; the next publish reads its objects again", "err", err)
		return s.Records
	}
	return recorded
}

func beaconsOf(h documents.StateDocument, ch *documents.Change) []string {
	next := ""
	if ch.Beacon != nil {
		next = ch.Beacon.Path
	}
	all := h.BeaconPaths(next)
	slices.Sort(all)
	return slices.Compact(all)
}

// finishCommit says that the release is live.
func (t *Target) finishCommit(ctx context.Context, h documents.StateDocument, ch *documents.Change, recorded []string) (documents.StateDocument, error) {
	next := &documents.State{
		Version: documents.Version, Phase: documents.PhaseLive, Revision: documents.NewNonce(), Release: ch.To, Previous: h.PastAfter(ch.To), Records: recorded, Grace: ch.Grace,
		From: ch.From, To: ch.To, Change: ch.Path,
	}
	if ch.Beacon != nil {
		next.Beacons = []string{ch.Beacon.Path}
	}
	return t.writeOwn(ctx, h, next)
}

// finishRollback puts the state document back as it was.
func (t *Target) finishRollback(ctx context.Context, h documents.StateDocument, ch *documents.Change) error {
	if len(ch.Before) > 0 {
		_, err := t.writeOwnRaw(ctx, h, ch.Before)
		return err
	}
	if _, err := t.writeOwn(ctx, h, h.State); err != nil {
		return err // it is not ours any more
	}
	return t.bucket.RemoveOne(ctx, documents.StatePath)
}

// recordable bounds the facts that one commit sends, by what it changes: those beyond are
// found again, and recorded by a later one.
func recordable(want documents.Entries, ch *documents.Change) int {
	changed := int64(0)
	for _, c := range ch.Copies {
		changed += want[c.Path].Size
	}
	return 2*verified.MaxRecord + len(ch.Fill) + int(changed/80) // a tenth of the changed bytes, at eight bytes a fact
}

// recordLive stores what is certain of the objects after a commit, without a look at them: what the service
// said of those that it stored, and what a listing showed of the others before. It returns the paths of all
// records of use.
func (t *Target) recordLive(ctx context.Context, records []string, ch *documents.Change, made map[string]bucket.Receipt) ([]string, error) {
	doc, err := t.docs.ReadSnapshot(ctx, ch.To)
	if err != nil {
		return nil, err
	}
	want, err := t.docs.ReadEntries(ctx, doc)
	if err != nil {
		return nil, err
	}
	old, _ := t.docs.LoadRecords(ctx, records)
	if b := doc.Beacon; b != nil {
		want[b.Path] = t.beaconEntry(b)
	}
	fresh := receipts(want, made)
	if st := t.stagedFor(ch); st != nil {
		fresh = append(fresh, st.fresh...)
		for i := range old {
			if st.alive != nil {
				old[i].Alive = slices.DeleteFunc(slices.Clone(old[i].Alive), func(f verified.Fact) bool { return !st.alive.Has(f) })
			}
		}
	}
	keep, store := verified.MergeRecords(old, fresh[:min(len(fresh), recordable(want, ch))])
	if len(store) == 0 {
		return keep, nil
	}
	path, err := t.docs.WriteByDigest(ctx, documents.RecordsFolder, verified.EncodeFacts(store))
	return append(keep, path), err
}

// stagedFor returns what this process knows of a change, nil where it has not prepared it.
func (t *Target) stagedFor(ch *documents.Change) *staged {
	v, _ := t.staged.Load(targets.Swap{From: targets.Live(ch.From), To: ch.To})
	if st, _ := v.(*staged); st != nil && st.change.Path == ch.Path {
		return st
	}
	return nil
}

// Confirmed reports whether the service has confirmed every write of a commit that this process has made.
func (t *Target) Confirmed(s targets.Swap) bool {
	_, ok := t.made.Load(s)
	return ok
}
