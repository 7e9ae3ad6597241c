package blobs

import "sync/atomic"

// maxSpilled bounds the large contents that are in memory since the disk is full, in bytes.
const maxSpilled = 64 << 20

// spills counts the large contents in memory.
type spills struct{ bytes atomic.Int64 }

func (s *spills) begin() *spill { return &spill{all: s} }

// spill is the room in memory of one large content.
type spill struct {
	all   *spills
	bytes int64
}

// grow takes room for more bytes, and reports whether there is some.
func (s *spill) grow(n int64) bool {
	if s.all.bytes.Add(n) > maxSpilled {
		s.all.bytes.Add(-n)
		return false
	}
	s.bytes += n
	return true
}

// end gives the room back.
func (s *spill) end() {
	s.all.bytes.Add(-s.bytes)
	s.bytes = 0
}
