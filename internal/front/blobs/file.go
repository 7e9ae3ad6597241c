package blobs

import (
	"bytes"
	"io"
	"os"
	"sync/atomic"
)

// file is a large content that several answers read at once: an open file, or bytes in memory.
type file struct {
	f      *os.File // nil if it is in memory
	data   []byte
	spill  *spill
	size   int64
	users  atomic.Int64
	remove string // deleted after the last use, "" for none
}

// newFile has one user, the caller.
func newFile(f *os.File, size int64, remove string) *file {
	made := &file{f: f, size: size, remove: remove}
	made.users.Store(1)
	return made
}

// spilled is a content in memory.
func spilled(data []byte, room *spill) *file {
	made := &file{size: int64(len(data)), data: data, spill: room}
	made.users.Store(1)
	return made
}

// reader reads the content.
func (f *file) reader() io.ReadSeeker {
	if f.f == nil {
		return bytes.NewReader(f.data)
	}
	return io.NewSectionReader(f.f, 0, f.size)
}

// join adds a user. The caller must be one, or hold the lock of what is one.
func (f *file) join() { f.users.Add(1) }

func (f *file) leave() {
	if f.users.Add(-1) > 0 {
		return
	}
	if f.f == nil {
		f.spill.end()
		return
	}
	_ = f.f.Close() // what was written was verified before
	if f.remove != "" {
		_ = os.Remove(f.remove) // the next run deletes what stays
	}
}
