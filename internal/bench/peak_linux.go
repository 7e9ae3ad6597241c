package bench

import (
	"os"
	"syscall"
)

// peak is the peak of the resident set of a process that has ended, and of those that it waited for.
func peak(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return int64(usage.Maxrss) << 10 //nolint:unconvert // 32 bits on some machines
	}
	return 0
}
