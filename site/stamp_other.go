//go:build !unix && !windows

package site

import "io/fs"

func stampOf(info fs.FileInfo) stamp {
	return stamp{size: info.Size(), mtime: info.ModTime().UnixNano()}
}

// isLoop cannot be told here: the refusal has the system's own words.
func isLoop(error) bool { return false }
