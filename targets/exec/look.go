package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
	"mirror/targets/grace"
)

// look is what a program lists of what is live.
type look struct {
	protocol.Listing
	live     targets.Live
	recorded bool
	grace    grace.List // beside the release
	sequence int64      // of the beacon, 0 where none is known
}

// look has the program list what is live.
func (t *Target) look(ctx context.Context, id site.ID) (l look, err error) {
	err = t.ask(ctx, protocol.Request{Op: "plan", Release: id}, steps{hear: l.Hear, then: func(answer protocol.Line) (err error) {
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
func sequenceIn(answer protocol.Line) int64 {
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

// ReadBack has the program list what is live.
func (t *Target) ReadBack(ctx context.Context) (site.Manifest, error) {
	var s protocol.Listing
	var beside grace.List
	err := t.ask(ctx, protocol.Request{Op: "readback"}, steps{hear: s.Hear, then: func(answer protocol.Line) (err error) {
		beside, err = graceIn(answer)
		return err
	}})
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.Manifest(t.beacon, beside.Has)
}

// graceIn reads the list that the program keeps with what is live; it is empty where the program names none.
func graceIn(answer protocol.Line) (grace.List, error) {
	if answer.Grace == "" {
		return nil, nil
	}
	text, err := regular.ReadFile(answer.Grace, grace.MaxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the list of files in grace: %w", err)
	}
	return grace.Decode(text)
}
