//go:build unix

package site

import (
	"errors"
	"syscall"
)

// isLoop reports whether the system gave up following links.
func isLoop(err error) bool { return errors.Is(err, syscall.ELOOP) }
