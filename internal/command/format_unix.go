//go:build unix

package command

import (
	"errors"
	"syscall"
)

// hasNoFormat reports that a file can be executed and is no program.
func hasNoFormat(err error) bool { return errors.Is(err, syscall.ENOEXEC) }
