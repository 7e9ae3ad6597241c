//go:build unix

package filestamp

import (
	"io/fs"
	"syscall"
)

// Of reads a file's stamp. The inode and the change time come from stat(2): a write
// that keeps size and modification time still moves the change time.
func Of(info fs.FileInfo) Stamp {
	s := Stamp{Size: info.Size(), MTime: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Inode = st.Ino
		s.CTime = changeTime(st)
	}
	return s
}

// Sure reports whether each write moves the stamp that Of reads.
func Sure(info fs.FileInfo) bool {
	_, ok := info.Sys().(*syscall.Stat_t)
	return ok
}
