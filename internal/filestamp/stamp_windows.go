package filestamp

import (
	"io/fs"
	"syscall"
)

// Of reads a file's stamp. A listing of a folder on Windows has no change time and no number
// of the file; its creation time, which moves when another file is put in its place, stands for the first.
func Of(info fs.FileInfo) Stamp {
	s := Stamp{Size: info.Size(), MTime: info.ModTime().UnixNano()}
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		s.CTime = data.CreationTime.Nanoseconds()
	}
	return s
}

// Sure reports whether each write moves the stamp that Of reads.
func Sure(fs.FileInfo) bool { return false }
