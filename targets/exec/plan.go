package exec

import (
	"context"

	"mirror/diff"
	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
)

// look is what a program lists of what is live.
type look struct {
	listing
	live     targets.Live
	recorded bool
	grace    grace.List // beside the release
	sequence int64      // of the beacon, 0 where none is known
}

// look has the program list what is live.
func (t *Target) look(ctx context.Context, id site.ID) (l look, err error) {
	err = t.ask(ctx, request{Op: "plan", Release: id}, steps{hear: l.hear, then: func(answer line) (err error) {
		if l.live, err = t.liveIn(answer); err != nil {
			return err
		}
		l.recorded, l.sequence = answer.Recorded, sequenceIn(answer)
		l.grace, err = graceIn(answer)
		return err
	}})
	return l, err
}

// sequenceIn is that of the live beacon, 0 where the program names none that can be read.
func sequenceIn(answer line) int64 {
	if answer.Beacon == "" {
		return 0
	}
	text, err := regular.ReadFile(answer.Beacon, site.MaxBeacon)
	if err != nil {
		return 0
	}
	b, _ := site.ParseBeacon(text) // the zero beacon is none
	return b.Sequence
}

// Plan has the program list what is live, and compares.
func (t *Target) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	l, err := t.look(ctx, rel.ID())
	if err != nil {
		return targets.Plan{}, err
	}
	held, err := l.manifest(rel.BeaconPath, l.grace.Without(func(path string) bool { _, own := rel.Manifest.Find(path); return own }).Has)
	if err != nil {
		return targets.Plan{}, err
	}
	plan := targets.Plan{Live: l.live, Changes: diff.Manifests(held, rel.Manifest), Sequence: l.sequence}
	if l.live.Release == site.None && !l.recorded {
		plan.Foreign = plan.Changes.Delete
	}
	for _, paths := range [][]string{plan.Changes.Add, plan.Changes.Change} {
		for _, path := range paths {
			f, _ := rel.Manifest.Find(path)
			plan.Bytes += f.Size
		}
	}
	next, err := t.nextGrace(ctx, l, rel.Manifest)
	plan.StaysInGrace(next)
	return plan, err
}

// ReadBack has the program list what is live.
func (t *Target) ReadBack(ctx context.Context) (site.Manifest, error) {
	var s listing
	var beside grace.List
	err := t.ask(ctx, request{Op: "readback"}, steps{hear: s.hear, then: func(answer line) (err error) {
		beside, err = graceIn(answer)
		return err
	}})
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.manifest(t.beacon, beside.Has)
}
