//go:build !linux

package hostclock

import "time"

// boot reads the wall clock: it goes on while the machine is suspended. If it is set during a watch, what was seen
// here is not used.
func boot() time.Duration { return wall() }
