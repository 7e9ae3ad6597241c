package site

import (
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/windows"
)

// stampOf reads a file's stamp. A listing of a folder on Windows has no change time and no number
// of the file; its creation time, which moves when another file is put in its place, stands for the first.
func stampOf(info fs.FileInfo) stamp {
	s := stamp{size: info.Size(), mtime: info.ModTime().UnixNano()}
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		s.ctime = data.CreationTime.Nanoseconds()
	}
	return s
}

// isLoop reports whether the system gave up following links.
func isLoop(err error) bool {
	return errors.Is(err, syscall.ELOOP) || errors.Is(err, windows.ERROR_CANT_RESOLVE_FILENAME)
}
