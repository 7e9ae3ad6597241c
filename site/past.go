package site

import "time"

// Past is a release that was live, as the history or a target records it.
type Past struct {
	Release   ID        // None where its content is known and its release is not
	Published time.Time // zero where unknown
	Manifest  Manifest  // a digest is zero where only the path is known
}
