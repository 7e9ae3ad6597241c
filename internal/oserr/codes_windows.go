package oserr

import (
	"syscall"

	"golang.org/x/sys/windows"
)

func noRoom() []syscall.Errno {
	return []syscall.Errno{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED, windows.ERROR_FILE_TOO_LARGE}
}
func readOnly() []syscall.Errno  { return []syscall.Errno{windows.ERROR_WRITE_PROTECT} }
func inUse() []syscall.Errno     { return []syscall.Errno{windows.WSAEADDRINUSE} }
func noAddress() []syscall.Errno { return []syscall.Errno{windows.WSAEADDRNOTAVAIL} }
func refused() []syscall.Errno   { return []syscall.Errno{windows.WSAECONNREFUSED} }
func unreachable() []syscall.Errno {
	return []syscall.Errno{windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH}
}
func reset() []syscall.Errno {
	return []syscall.Errno{windows.WSAECONNRESET, windows.WSAECONNABORTED, windows.ERROR_BROKEN_PIPE, windows.ERROR_NO_DATA}
}
func noFile() []syscall.Errno {
	return []syscall.Errno{
		windows.ERROR_FILE_NOT_FOUND, windows.ERROR_PATH_NOT_FOUND, windows.ERROR_INVALID_NAME, windows.ERROR_DIRECTORY,
		windows.ERROR_FILENAME_EXCED_RANGE, windows.ERROR_CANT_RESOLVE_FILENAME, windows.ERROR_BAD_PATHNAME,
		syscall.ENOTDIR, syscall.ELOOP, syscall.EINVAL, // made by package os itself
	}
}
