package s3

import (
	"context"
	"fmt"
	"time"

	"mirror/targets"
	"mirror/targets/s3/internal/documents"
)

// shortenGrace deletes the files of earlier releases whose time is over. While another publisher is at work they stay.
func (t *Target) shortenGrace(ctx context.Context) error {
	if !t.stays.On() {
		return nil
	}
	h, err := t.docs.ReadState(ctx)
	if err != nil || h.GracePath() == "" || h.Phase != documents.PhaseLive || h.Reserved != nil && !h.Reserved.Released {
		return err
	}
	l := t.graceOf(ctx, h)
	now := t.stays.Current(l, time.Now())
	if len(now) == len(l) {
		return nil
	}
	return t.dropGrace(ctx, h, func(path string) bool { return !now.Has(path) })
}

// dropGrace deletes files of earlier releases while it holds the place, and takes them off the list.
func (t *Target) dropGrace(ctx context.Context, h documents.StateDocument, gone func(path string) bool) error {
	held, err := t.Reserve(ctx, targets.Swap{From: liveOf(h, inventory{}), To: h.Release})
	if err != nil {
		return fmt.Errorf("files of earlier releases: %w", err)
	}
	defer func() { _ = held.Release(context.WithoutCancel(ctx)) }() // it ends by itself
	r := held.(*reservation)
	h = r.own.document()
	release, err := t.pastRelease(ctx, h.Release)
	if err != nil {
		return fmt.Errorf("files of earlier releases: %w", err)
	}
	l := t.graceOf(ctx, h)
	doomed := l.Without(func(path string) bool {
		_, own := release.Manifest.Find(path)
		return own || !gone(path) || t.keep.Match(path)
	})
	if err := t.bucket.Remove(ctx, doomed.Paths()); err != nil {
		return err
	}
	next := *h.State
	next.Fill = h.Fill
	if next.Grace, err = t.writeGrace(ctx, l.Without(gone)); err != nil {
		return err
	}
	t.seen.note(documents.StateDocument{}, inventory{}) // what was listed has changed
	_, err = r.write(ctx, &next)
	return err
}
