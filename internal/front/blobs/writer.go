package blobs

import (
	"errors"
	"fmt"
	"os"

	"mirror/site"
)

// Writer gathers a content that is not verified yet: in memory while it is small, else in a temporary
// file, else, if the disk has no room, in memory again. It is used by one goroutine. End it with Keep or Discard.
type Writer struct {
	store *Store
	limit int64
	n     int64
	data  []byte
	f     *os.File // nil while the content is in memory
	spill *spill   // of a large content in memory, nil else
	err   error
}

// NewWriter returns a writer for a content of at most limit bytes. expected bytes, at most, get room at
// once.
func (s *Store) NewWriter(limit, expected int64) *Writer {
	return &Writer{store: s, limit: limit, data: make([]byte, 0, min(max(expected, 0), limit, Small))}
}

// ErrNoRoom says that a content has room neither on disk nor in memory.
var ErrNoRoom = errors.New("there is no room for it on the disk of the cache")

// Write gathers bytes. Those beyond the limit are dropped: see Over. An error is ErrNoRoom.
func (w *Writer) Write(p []byte) (int, error) {
	at := w.n
	w.n += int64(len(p))
	switch {
	case w.err != nil || w.n > w.limit:
	case w.spill != nil:
		w.toMemory(p)
	case w.f == nil && w.n <= Small:
		w.data = append(w.data, p...)
	default:
		w.toDisk(p, at)
	}
	return len(p), w.err
}

// toDisk writes the bytes at an offset of the temporary file.
func (w *Writer) toDisk(p []byte, at int64) {
	d := &w.store.disk
	var err error
	if w.f == nil {
		w.f, err = os.CreateTemp(d.dir, partial)
		p, at = append(w.data, p...), 0
	}
	if err == nil {
		err = d.writeAt(w.f, p, at)
	}
	if err != nil {
		w.leaveDisk(p, at, err)
		return
	}
	w.data = nil
}

// leaveDisk goes on in memory, with what the file has so far and p.
func (w *Writer) leaveDisk(p []byte, at int64, why error) {
	data := make([]byte, at, at+int64(len(p)))
	if w.f != nil {
		if _, err := w.f.ReadAt(data, 0); err != nil {
			w.err = fmt.Errorf("%w: %w", ErrNoRoom, errors.Join(why, err))
			return
		}
	}
	w.Discard()
	w.data, w.spill = nil, w.store.spills.begin()
	w.toMemory(data)
	w.toMemory(p)
	if w.err != nil {
		w.err = fmt.Errorf("%w: %w", w.err, why)
	}
}

// toMemory gathers bytes of a large content.
func (w *Writer) toMemory(p []byte) {
	if !w.spill.grow(int64(len(p))) {
		w.err = ErrNoRoom
		return
	}
	w.data = append(w.data, p...)
}

// Over reports whether more bytes came than the limit allows.
func (w *Writer) Over() bool { return w.n > w.limit }

// Err returns why the content could not be gathered, which is no fault of its sender; nil if it could.
func (w *Writer) Err() error { return w.err }

// Reset forgets what was gathered.
func (w *Writer) Reset() {
	w.Discard()
	w.n, w.data, w.err = 0, w.data[:0], nil
}

// Discard deletes what was gathered.
func (w *Writer) Discard() {
	if w.spill != nil {
		w.spill.end()
		w.spill, w.data = nil, nil
	}
	if w.f == nil {
		return
	}
	_ = w.f.Close()           // it is deleted
	_ = os.Remove(w.f.Name()) // the next run deletes what stays
	w.f = nil
}

// Keep stores the content, which the caller has verified to have the digest. What cannot be stored on
// disk is served all the same.
func (w *Writer) Keep(digest site.Digest) Content {
	s := w.store
	if w.spill != nil {
		c := Content{Size: w.n, file: spilled(w.data, w.spill)}
		w.spill, w.data = nil, nil
		return c
	}
	if w.f == nil {
		s.disk.write(digest, w.data)
		return s.remember(digest, w.data)
	}
	f := s.disk.adopt(digest, w.f, w.n)
	w.f = nil
	return Content{Size: w.n, file: f}
}

// write stores a small content. If that fails it is in memory alone.
func (d *disk) write(digest site.Digest, data []byte) {
	if int64(len(data)) > d.bound || d.bound == 0 || d.has(digest) {
		return
	}
	f, err := os.CreateTemp(d.dir, partial)
	if err != nil {
		d.trouble(err)
		return
	}
	err = d.writeAt(f, data, 0)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = d.name(f.Name(), digest, int64(len(data)))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the next run deletes what stays
	}
}

// writeAt writes to a file at an offset. If the disk is full, contents that were not used for longest make room.
func (d *disk) writeAt(f *os.File, p []byte, at int64) error {
	_, err := d.writeFile(f, p, at)
	if err != nil && d.free(int64(len(p))) {
		_, err = d.writeFile(f, p, at)
	}
	if err != nil {
		d.trouble(err)
	}
	return err
}

// name gives a whole file the name of its digest.
func (d *disk) name(from string, digest site.Digest, size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := os.Rename(from, d.path(digest)); err != nil {
		return err
	}
	d.note(&entry{digest: digest, size: size})
	d.makeRoom()
	return nil
}

// adopt takes over a temporary file with a large content, and returns it open. Where it does not fit
// on the disk, or an open file cannot be renamed (Windows), it is deleted after its last use.
func (d *disk) adopt(digest site.Digest, f *os.File, size int64) *file {
	if size > d.bound || d.name(f.Name(), digest, size) != nil {
		return newFile(f, size, f.Name())
	}
	return d.hold(digest, newFile(f, size, ""))
}
