//go:build !unix

package command

// hasNoFormat reports that a file can be executed and is no program.
func hasNoFormat(error) bool { return false }
