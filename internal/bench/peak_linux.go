package bench

import (
	"os"
	"runtime/debug"
	"syscall"
)

// forgetPeak gives memory back and has the kernel forget what was in use before: the peak of a process begins with that of
// the one that starts it.
func forgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // without it a peak is too large, not too small
}

// peak is the peak of the resident set of a process that has ended, and of those that it waited for.
func peak(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return int64(usage.Maxrss) << 10 //nolint:unconvert // 32 bits on some machines
	}
	return 0
}
