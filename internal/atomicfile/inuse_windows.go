package atomicfile

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// inUse reports that a file cannot be replaced as long as another program has it open. Windows
// says so in three ways: https://learn.microsoft.com/windows/win32/debug/system-error-codes--0-499-
func inUse(err error) bool {
	for _, one := range []syscall.Errno{windows.ERROR_ACCESS_DENIED, windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}
