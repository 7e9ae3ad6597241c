package site

import "mirror/internal/filestamp"

// entry is what a cache remembers of one file.
type entry struct {
	stamp  filestamp.Stamp
	digest Digest
}
