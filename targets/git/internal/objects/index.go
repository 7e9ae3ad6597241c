package objects

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// entry is one object of a pack.
type entry struct {
	offset int64
	kind   plumbing.ObjectType // of a delta: known when its base's is
	size   int64               // of the content
	base   *entry              // of a delta, nil for a whole object
	deltas []*entry            // against this one, by offset
	name   plumbing.Hash       // of a delta: known when it is resolved
}

// index knows the objects of a pack.
type index struct {
	byName   map[plumbing.Hash]*entry
	byOffset map[int64]*entry
	pending  map[plumbing.Hash][]*entry // deltas against an object by its name
	whole    []*entry                   // that are no deltas
	deltas   int
}

// scan reads a pack from its beginning. Nothing of it is held in memory, and what unpacks to more
// than it may is refused.
func (x *index) scan(ctx context.Context, s *packfile.Scanner) error {
	_, count, err := s.Header()
	if err != nil {
		return err
	}
	if count > maxObjects {
		return fmt.Errorf("%d objects: %w", count, ErrTooMuch)
	}
	x.byName, x.byOffset, x.pending = map[plumbing.Hash]*entry{}, map[int64]*entry{}, map[plumbing.Hash][]*entry{}
	for range count {
		head, err := s.NextObjectHeader()
		if err != nil {
			return err
		}
		if err := x.add(ctx, s, head); err != nil {
			return err
		}
	}
	return nil
}

func (x *index) add(ctx context.Context, s *packfile.Scanner, head *packfile.ObjectHeader) error {
	if head.Length < 0 || head.Length > limitOf(head.Type) {
		return fmt.Errorf("an object of %d bytes: %w", head.Length, ErrTooMuch)
	}
	e := &entry{offset: head.Offset, kind: head.Type, size: head.Length}
	x.byOffset[e.offset] = e
	if head.Type.IsDelta() {
		return x.addDelta(ctx, s, head, e)
	}
	h := plumbing.NewHasher(e.kind, e.size)
	if _, _, err := s.NextObject(during{ctx, h}); err != nil {
		return err
	}
	e.name = h.Sum()
	x.byName[e.name] = e
	x.whole = append(x.whole, e)
	return nil
}

func (x *index) addDelta(ctx context.Context, s *packfile.Scanner, head *packfile.ObjectHeader, e *entry) error {
	var start firstBytes
	if _, _, err := s.NextObject(during{ctx, &start}); err != nil {
		return err
	}
	size := start.deltaResult()
	if size > maxBlob {
		return fmt.Errorf("an object of %d bytes: %w", size, ErrTooMuch)
	}
	e.size = int64(size)
	x.deltas++
	if head.Type == plumbing.REFDeltaObject {
		x.pending[head.Reference] = append(x.pending[head.Reference], e)
		return nil
	}
	if e.base = x.byOffset[head.OffsetReference]; e.base == nil {
		return errors.New("the base of a delta is missing")
	}
	e.base.deltas = append(e.base.deltas, e)
	return nil
}

// limitOf is the largest object of a kind, in bytes.
func limitOf(kind plumbing.ObjectType) int64 {
	if kind == plumbing.BlobObject || kind.IsDelta() {
		return maxBlob
	}
	return maxTree
}

// during fails when its context has ended.
type during struct {
	ctx context.Context
	w   io.Writer
}

// Write writes while the context lasts.
func (d during) Write(p []byte) (int, error) {
	if err := d.ctx.Err(); err != nil {
		return 0, err
	}
	return d.w.Write(p)
}

// firstBytes keeps the beginning of what is written to it.
type firstBytes struct{ buf []byte }

// Write keeps what fits.
func (f *firstBytes) Write(p []byte) (int, error) {
	f.buf = append(f.buf, p[:min(len(p), maxDeltaStart-len(f.buf))]...)
	return len(p), nil
}
