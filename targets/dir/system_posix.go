//go:build !windows

package dir

import (
	"errors"
	"syscall"
)

// keepsLinks is whether a rename may refuse to replace a link to a folder.
const keepsLinks = false

// posix is whether files have modes and the names in a folder can be made durable.
const posix = true

// linksForbidden reports that the file system has no symbolic links, as FAT.
func linksForbidden(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM)
}
