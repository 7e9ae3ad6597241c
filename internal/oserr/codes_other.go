//go:build !windows

package oserr

import "syscall"

func noRoom() []syscall.Errno {
	return []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}
}
func readOnly() []syscall.Errno    { return []syscall.Errno{syscall.EROFS} }
func inUse() []syscall.Errno       { return []syscall.Errno{syscall.EADDRINUSE} }
func noAddress() []syscall.Errno   { return []syscall.Errno{syscall.EADDRNOTAVAIL} }
func refused() []syscall.Errno     { return []syscall.Errno{syscall.ECONNREFUSED} }
func unreachable() []syscall.Errno { return []syscall.Errno{syscall.EHOSTUNREACH, syscall.ENETUNREACH} }
func reset() []syscall.Errno       { return []syscall.Errno{syscall.ECONNRESET, syscall.EPIPE} }
func noFile() []syscall.Errno {
	return []syscall.Errno{syscall.ENOENT, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EINVAL}
}
