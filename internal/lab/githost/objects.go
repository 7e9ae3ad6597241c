package githost

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/utils/ioutil"

	"mirror/internal/static"
)

// objects is the git host's object store. The contents lie uncompressed in a spool, so
// that Pages serves blobs straight from it; nothing is ever removed.
type objects struct {
	spool *static.Spool
	mu    sync.RWMutex
	index map[plumbing.Hash]entry
}

type entry struct {
	kind plumbing.ObjectType
	at   static.Section
	sum  [sha256.Size]byte // of a blob
}

var _ storer.EncodedObjectStorer = (*objects)(nil)

func newObjects(spool *static.Spool) *objects {
	return &objects{spool: spool, index: map[plumbing.Hash]entry{}}
}

func (s *objects) find(h plumbing.Hash) (entry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.index[h]
	return e, ok
}

// add stores an object and returns its name.
func (s *objects) add(kind plumbing.ObjectType, content []byte) (plumbing.Hash, error) {
	h := plumbing.ComputeHash(kind, content)
	if _, ok := s.find(h); ok {
		return h, nil
	}
	at, err := s.spool.Add(content)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	e := entry{kind: kind, at: at}
	if kind == plumbing.BlobObject {
		e.sum = sha256.Sum256(content)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index[h] = e
	return h, nil
}

// NewEncodedObject returns an empty object in memory.
func (s *objects) NewEncodedObject() plumbing.EncodedObject { return &plumbing.MemoryObject{} }

// SetEncodedObject stores an object.
func (s *objects) SetEncodedObject(o plumbing.EncodedObject) (h plumbing.Hash, err error) {
	switch o.Type() {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
	default:
		return plumbing.ZeroHash, plumbing.ErrInvalidType
	}
	r, err := o.Reader()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	defer ioutil.CheckClose(r, &err)
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		return plumbing.ZeroHash, err
	}
	return s.add(o.Type(), b.Bytes())
}

// EncodedObject gives an object, or plumbing.ErrObjectNotFound.
func (s *objects) EncodedObject(kind plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	e, ok := s.find(h)
	if !ok || kind != plumbing.AnyObject && kind != e.kind {
		return nil, plumbing.ErrObjectNotFound
	}
	return &storedObject{h, e, s.spool}, nil
}

// HasEncodedObject gives plumbing.ErrObjectNotFound for what is not there.
func (s *objects) HasEncodedObject(h plumbing.Hash) error {
	if _, ok := s.find(h); !ok {
		return plumbing.ErrObjectNotFound
	}
	return nil
}

// EncodedObjectSize gives the size of the content.
func (s *objects) EncodedObjectSize(h plumbing.Hash) (int64, error) {
	e, ok := s.find(h)
	if !ok {
		return 0, plumbing.ErrObjectNotFound
	}
	return e.at.Size, nil
}

// errUnneeded is the answer of what the git host never calls.
var errUnneeded = errors.New("not supported by the lab's object store")

// IterEncodedObjects is not supported.
func (s *objects) IterEncodedObjects(plumbing.ObjectType) (storer.EncodedObjectIter, error) {
	return nil, errUnneeded
}

// AddAlternate is not supported.
func (s *objects) AddAlternate(string) error { return errUnneeded }

// storedObject reads an object from the spool.
type storedObject struct {
	hash  plumbing.Hash
	entry entry
	spool *static.Spool
}

// Hash names the object.
func (o *storedObject) Hash() plumbing.Hash { return o.hash }

// Type is the object's kind.
func (o *storedObject) Type() plumbing.ObjectType { return o.entry.kind }

// SetType has no effect: the object is stored.
func (o *storedObject) SetType(plumbing.ObjectType) {}

// Size is that of the content, in bytes.
func (o *storedObject) Size() int64 { return o.entry.at.Size }

// SetSize has no effect: the object is stored.
func (o *storedObject) SetSize(int64) {}

// Writer is not supported.
func (o *storedObject) Writer() (io.WriteCloser, error) { return nil, errUnneeded }

// Reader opens the content.
func (o *storedObject) Reader() (io.ReadCloser, error) {
	return io.NopCloser(o.spool.Open(o.entry.at)), nil
}
