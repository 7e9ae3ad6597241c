package site

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// isLoop reports whether the system gave up following links.
func isLoop(err error) bool {
	return errors.Is(err, syscall.ELOOP) || errors.Is(err, windows.ERROR_CANT_RESOLVE_FILENAME)
}
