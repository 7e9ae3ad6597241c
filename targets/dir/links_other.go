//go:build !unix

package dir

import "io/fs"

// hasOneName cannot be told here: each file is made anew.
func hasOneName(fs.DirEntry) bool { return false }
