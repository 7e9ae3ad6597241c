package objects

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"mirror/site"
)

// Bounds of what a remote may send us, far above any site.
const (
	maxObjects    = 4 << 20
	maxBlob       = 4 << 30   // bytes, of one file
	maxTree       = 256 << 20 // bytes, of one folder's list or one commit
	bigObject     = 4 << 20   // bytes; larger ones are not held in memory
	maxWork       = 64 << 30  // bytes that are unpacked in all, of one pack
	maxDeltaStart = 20        // bytes: the two sizes a delta begins with
)

// ErrTooMuch is the error for what is beyond these bounds.
var ErrTooMuch = errors.New("the remote sends more than any site needs")

// Store is the objects of one pack, in a temporary folder. It is not safe for concurrent use.
type Store struct {
	dir    string
	file   *os.File
	scan   *packfile.Scanner
	index  index
	recent recent
	work   int64 // bytes that resolving deltas has made
}

// NewStore keeps what fill writes, which must be a whole pack, and indexes it.
func NewStore(ctx context.Context, fill func(io.Writer) error) (*Store, error) {
	dir, err := os.MkdirTemp("", "mirror-git-")
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir}
	if err = writeFile(filepath.Join(dir, packName), fill); err == nil {
		err = s.open(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

const packName = "pack"

func writeFile(path string, fill func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = fill(w)
	return errors.Join(err, w.Flush(), f.Close())
}

func (s *Store) open(ctx context.Context) error {
	var err error
	if s.file, err = os.Open(filepath.Join(s.dir, packName)); err != nil {
		return err
	}
	s.scan = packfile.NewScanner(s.file)
	if err = s.index.scan(ctx, s.scan); err == nil {
		err = s.resolve(ctx)
	}
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("pack: %w", err)
	}
	return err
}

// resolve names the deltas, each after its base.
func (s *Store) resolve(ctx context.Context) error {
	next := make([]*entry, 0, s.index.deltas)
	for _, e := range s.index.whole {
		next = s.deltasOf(next, e)
	}
	resolved := 0
	for ; len(next) > 0; resolved++ {
		e := next[len(next)-1] // depth first: its base was used last
		if err := s.setName(ctx, e); err != nil {
			return err
		}
		s.index.byName[e.name] = e
		next = s.deltasOf(next[:len(next)-1], e)
	}
	if resolved < s.index.deltas {
		return errors.New("the base of a delta is missing")
	}
	return nil
}

// deltasOf appends the deltas against an object, which has its name now.
func (s *Store) deltasOf(list []*entry, e *entry) []*entry {
	for _, d := range s.index.pending[e.name] {
		d.base = e
		list = append(list, d)
	}
	delete(s.index.pending, e.name)
	return append(list, e.deltas...)
}

// setName resolves a delta whose base is resolved.
func (s *Store) setName(ctx context.Context, e *entry) error {
	e.kind = e.base.kind
	if e.size > limitOf(e.kind) {
		return fmt.Errorf("an object of %d bytes: %w", e.size, ErrTooMuch)
	}
	h := plumbing.NewHasher(e.kind, e.size)
	err := s.copy(ctx, e, h)
	e.name = h.Sum()
	return err
}

// copy writes an object's content.
func (s *Store) copy(ctx context.Context, e *entry, w io.Writer) error {
	if c := s.recent.get(e); c != nil {
		_, err := io.Copy(during{ctx, w}, c.reader())
		return err
	}
	if len(e.deltas) > 0 || e.base != nil && e.size <= bigObject { // it is soon wanted again
		c, err := s.content(ctx, e)
		if err == nil {
			_, err = io.Copy(during{ctx, w}, c.reader())
		}
		return err
	}
	return s.produce(ctx, e, w)
}

// content is all of an object. It is valid until the next call.
func (s *Store) content(ctx context.Context, e *entry) (*content, error) {
	var missing []*entry
	for ; e != nil && s.recent.get(e) == nil; e = e.base {
		missing = append(missing, e)
	}
	c := s.recent.get(e)
	for _, e := range slices.Backward(missing) {
		var err error
		if c, err = newContent(s.dir, e.size); err == nil {
			err = s.produce(ctx, e, c)
		}
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		if err := s.recent.put(e, c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// produce reads an object from the pack. The content of a delta's base is taken from recent, or made.
func (s *Store) produce(ctx context.Context, e *entry, w io.Writer) error {
	if s.work += e.size; s.work > maxWork {
		return ErrTooMuch
	}
	var base *content
	if e.base != nil {
		var err error
		if base, err = s.content(ctx, e.base); err != nil {
			return err
		}
	}
	if _, err := s.scan.SeekObjectHeader(e.offset); err != nil {
		return err
	}
	if base == nil {
		n, _, err := s.scan.NextObject(during{ctx, w})
		if err == nil && n != e.size {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	delta, err := s.scan.ReadObject()
	if err != nil {
		return err
	}
	defer delta.Close()
	return applyDelta(delta, base, e.size, during{ctx, w})
}

// find gives an object of a kind.
func (s *Store) find(kind plumbing.ObjectType, name plumbing.Hash) (*entry, error) {
	e := s.index.byName[name]
	if e == nil {
		return nil, fmt.Errorf("%s %s: %w", kind, name, plumbing.ErrObjectNotFound)
	}
	if e.kind != kind {
		return nil, fmt.Errorf("%s %s: it is a %s", kind, name, e.kind)
	}
	return e, nil
}

// Read gives the content of an object of at most limit bytes.
func (s *Store) Read(kind plumbing.ObjectType, name plumbing.Hash, limit int64) ([]byte, error) {
	e, err := s.find(kind, name)
	if err != nil {
		return nil, err
	}
	if e.size > limit {
		return nil, fmt.Errorf("%s %s of %d bytes: %w", kind, name, e.size, ErrTooMuch)
	}
	var text bytes.Buffer
	text.Grow(int(e.size))
	err = s.copy(context.Background(), e, &text)
	return text.Bytes(), err
}

// Hash streams a blob's content.
func (s *Store) Hash(ctx context.Context, blob plumbing.Hash) (site.File, error) {
	e, err := s.find(plumbing.BlobObject, blob)
	if err != nil {
		return site.File{}, err
	}
	h := sha256.New()
	if err := s.copy(ctx, e, h); err != nil {
		return site.File{}, err
	}
	return site.File{Size: e.size, Digest: site.Digest(h.Sum(nil))}, nil
}

// CopyBlob writes a blob's content.
func (s *Store) CopyBlob(ctx context.Context, blob plumbing.Hash, w io.Writer) error {
	e, err := s.find(plumbing.BlobObject, blob)
	if err != nil {
		return err
	}
	return s.copy(ctx, e, w)
}

// Close deletes the pack.
func (s *Store) Close() error {
	err := s.recent.close()
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
