package dir

import (
	"errors"

	"golang.org/x/sys/windows"
)

// keepsLinks is whether a rename may refuse to replace a link to a folder.
const keepsLinks = true

// posix is whether files have modes and the names in a folder can be made durable.
const posix = false

// linksForbidden reports that the user may make no symbolic link: that needs developer mode, or a
// privilege that administrators have.
func linksForbidden(err error) bool {
	return errors.Is(err, windows.ERROR_PRIVILEGE_NOT_HELD) || errors.Is(err, windows.ERROR_ACCESS_DENIED) ||
		errors.Is(err, windows.ERROR_NOT_SUPPORTED) || errors.Is(err, windows.ERROR_INVALID_FUNCTION) // FAT has none
}
