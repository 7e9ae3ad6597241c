package blobs

import (
	"os"

	"mirror/site"
)

// Writer gathers a content that is not verified yet: in memory while it is small, else in a temporary
// file. It is used by one goroutine. End it with Keep or Discard.
type Writer struct {
	store *Store
	limit int64
	n     int64
	data  []byte
	f     *os.File // nil while the content is small
	err   error
}

// NewWriter returns a writer for a content of at most limit bytes. expected bytes, at most, get room at
// once.
func (s *Store) NewWriter(limit, expected int64) *Writer {
	return &Writer{store: s, limit: limit, data: make([]byte, 0, min(max(expected, 0), limit, Small))}
}

// Write gathers bytes. Those beyond the limit are dropped: see Over.
func (w *Writer) Write(p []byte) (int, error) {
	w.n += int64(len(p))
	if w.err != nil || w.n > w.limit {
		return len(p), w.err
	}
	if w.f == nil && w.n <= Small {
		w.data = append(w.data, p...)
		return len(p), nil
	}
	if w.f == nil {
		w.f, w.err = os.CreateTemp(w.store.disk.dir, partial)
		if w.err == nil {
			_, w.err = w.f.Write(w.data)
		}
		w.data = nil
	}
	if w.err == nil {
		_, w.err = w.f.Write(p)
	}
	return len(p), w.err
}

// Over reports whether more bytes came than the limit allows.
func (w *Writer) Over() bool { return w.n > w.limit }

// Reset forgets what was gathered.
func (w *Writer) Reset() {
	w.Discard()
	w.n, w.data, w.err = 0, w.data[:0], nil
}

// Discard deletes what was gathered.
func (w *Writer) Discard() {
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
	if w.f == nil {
		s.disk.write(digest, w.data)
		return s.remember(digest, w.data)
	}
	f := s.disk.adopt(digest, w.f, w.n)
	w.f = nil
	return Content{Size: w.n, file: f}
}

// write stores a small content. That fails where the disk is full, and then it is in memory alone.
func (d *disk) write(digest site.Digest, data []byte) {
	if int64(len(data)) > d.bound || d.bound == 0 || d.has(digest) {
		return
	}
	f, err := os.CreateTemp(d.dir, partial)
	if err != nil {
		return
	}
	_, err = f.Write(data)
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
