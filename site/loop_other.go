//go:build !unix && !windows

package site

// isLoop cannot be told here: the refusal has the system's own words.
func isLoop(error) bool { return false }
