// Package blobs keeps verified contents by their digest: small ones in memory, and all of them on disk
// within a bound. What is read from disk is verified again, so that a file which was altered there is
// dropped and never served.
package blobs

import (
	"bytes"
	"io"
	"os"
	"sync/atomic"

	"mirror/site"
)

// Small is the largest content that is held in memory, in bytes.
const Small = 256 << 10

// Blob is a small content that memory holds until others need the room.
type Blob struct {
	digest site.Digest
	size   int64
	data   atomic.Pointer[[]byte] // nil once it was dropped
	used   atomic.Bool            // since the store last looked for room
}

// Bytes returns the content, which must not be written to; nil where it was dropped from memory.
func (b *Blob) Bytes() []byte {
	data := b.data.Load()
	if data == nil {
		return nil
	}
	if !b.used.Load() {
		b.used.Store(true)
	}
	return *data
}

// Content is a verified content. Close it after use.
type Content struct {
	Size int64
	Data []byte // of a small one, nil else; it must not be written to
	Blob *Blob  // of a small one, nil else
	file *file
}

// Reader reads the content.
func (c Content) Reader() io.ReadSeeker {
	if c.file == nil {
		return bytes.NewReader(c.Data)
	}
	return c.file.reader()
}

// Share returns the content for another user, who closes it too.
func (c Content) Share() Content {
	if c.file != nil {
		c.file.join()
	}
	return c
}

// Close gives up what the content holds.
func (c Content) Close() {
	if c.file != nil {
		c.file.leave()
	}
}

// Options bound a Store.
type Options struct {
	Memory int64 // bytes of small contents in memory
	Disk   int64 // bytes of contents on disk; 0 keeps none there
	// Trouble is told why a content cannot be written to disk, once a minute at most; nil for none.
	Trouble func(error)
}

// Store keeps contents. It is safe for concurrent use.
type Store struct {
	memory memory
	disk   disk
	spills spills
}

// Open opens the store in a folder, which it makes. Contents that are there from an earlier run are
// known again.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{memory: newMemory(o.Memory)}
	s.disk.bound, s.disk.hear, s.disk.writeFile = o.Disk, o.Trouble, (*os.File).WriteAt
	return s, s.disk.open(dir)
}

// Get returns a content, false where the store does not hold it.
func (s *Store) Get(d site.Digest) (Content, bool) {
	if b := s.memory.get(d); b != nil {
		if data := b.Bytes(); data != nil {
			return small(b, data), true
		}
	}
	if f := s.disk.opened(d); f != nil {
		return Content{Size: f.size, file: f}, true
	}
	data, f := s.disk.read(d)
	switch {
	case f != nil:
		return Content{Size: f.size, file: f}, true
	case data != nil:
		return s.remember(d, data), true
	}
	return Content{}, false
}

// Has reports whether the store holds a content, without reading it.
func (s *Store) Has(d site.Digest) bool { return s.memory.get(d) != nil || s.disk.has(d) }

// Drop forgets a content.
func (s *Store) Drop(d site.Digest) { s.disk.drop(d) }

// Usage is what the store holds.
type Usage struct {
	Memory, Disk int64 // bytes
	Files        int   // on disk
	Damaged      int64 // files on disk whose bytes were no longer those of their digest
}

// Usage returns what the store holds now.
func (s *Store) Usage() Usage {
	u := s.disk.usage()
	u.Memory = s.memory.size()
	return u
}

// Close closes the files. Contents that are in use stay readable.
func (s *Store) Close() { s.disk.close() }

func (s *Store) remember(d site.Digest, data []byte) Content {
	return small(s.memory.add(d, data), data)
}

func small(b *Blob, data []byte) Content { return Content{Size: int64(len(data)), Data: data, Blob: b} }
