// Package filestamp reads what the system says of a file, which must stay the same for what was
// once read from the file to be trusted.
package filestamp

import "time"

// Stamp is what stat(2) tells of a file.
type Stamp struct {
	Size         int64
	MTime, CTime int64 // nanoseconds since 1970; where the system has no change time see Of
	Inode        uint64
}

// Before reports whether the file was last changed before a time, by the system's clock.
func (s Stamp) Before(t time.Time) bool { return max(s.MTime, s.CTime) < t.UnixNano() }
