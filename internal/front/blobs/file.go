package blobs

import (
	"os"
	"sync/atomic"
)

// file is an open file that several answers read at once.
type file struct {
	f      *os.File
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

// join adds a user. The caller must be one, or hold the lock of what is one.
func (f *file) join() { f.users.Add(1) }

func (f *file) leave() {
	if f.users.Add(-1) > 0 {
		return
	}
	_ = f.f.Close() // what was written was verified before
	if f.remove != "" {
		_ = os.Remove(f.remove) // the next run deletes what stays
	}
}
