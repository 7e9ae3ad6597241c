// Package hostclock reads the two clocks of this machine by which another one places in time what was seen here:
// the monotonic clock, and one that also goes on while the machine is suspended.
package hostclock

import "time"

// Clock is the clocks of this machine. Its zero is the time at which it was made.
type Clock struct{ began time.Time }

// New returns the clocks of this machine.
func New() Clock { return Clock{began: time.Now()} }

// At returns what the monotonic clock read at an instant of this process.
func (c Clock) At(instant time.Time) time.Duration { return instant.Sub(c.began) }

// Boot returns what the clock reads now that goes on while the machine is suspended.
func (c Clock) Boot() time.Duration { return boot() }
