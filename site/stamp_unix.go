//go:build unix

package site

import (
	"errors"
	"io/fs"
	"syscall"
)

// stampOf reads a file's stamp. The inode and the change time come from stat(2): a write
// that keeps size and modification time still moves the change time.
func stampOf(info fs.FileInfo) stamp {
	s := stamp{size: info.Size(), mtime: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = st.Ino
		s.ctime = changeTime(st)
	}
	return s
}

// isLoop reports whether the system gave up following links.
func isLoop(err error) bool { return errors.Is(err, syscall.ELOOP) }
