//go:build !unix && !windows

package filestamp

import "io/fs"

// Of reads a file's stamp: its size and modification time.
func Of(info fs.FileInfo) Stamp {
	return Stamp{Size: info.Size(), MTime: info.ModTime().UnixNano()}
}

// Sure reports whether each write moves the stamp that Of reads.
func Sure(fs.FileInfo) bool { return false }
