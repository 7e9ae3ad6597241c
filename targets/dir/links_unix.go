//go:build unix

package dir

import (
	"io/fs"
	"syscall"
)

// hasOneName reports whether a file has no other hard link.
func hasOneName(d fs.DirEntry) bool {
	info, err := d.Info()
	if err != nil {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Nlink == 1
}
