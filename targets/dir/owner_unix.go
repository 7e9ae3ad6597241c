//go:build unix

package dir

import (
	"io/fs"
	"os"
	"syscall"
)

// takeOwner gives f the owner and the group of another file, or the group alone, as far as that is
// permitted.
func takeOwner(f *os.File, other fs.FileInfo) {
	s, ok := other.Sys().(*syscall.Stat_t)
	if ok && f.Chown(int(s.Uid), int(s.Gid)) != nil {
		_ = f.Chown(-1, int(s.Gid)) // only members of the group may
	}
}
