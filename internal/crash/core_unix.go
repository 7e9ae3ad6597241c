//go:build unix

package crash

import "syscall"

// dropCore keeps the system from writing the memory to a file. The hard limit stays as it is.
func dropCore() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &limit) == nil {
		limit.Cur = 0
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit) // a lower limit is always permitted
	}
}
