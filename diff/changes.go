// Package diff compares: what a place holds with what it should hold, what it serves
// with a manifest, and places with each other. It does no I/O and reads no clock.
package diff

import (
	"maps"
	"slices"

	"mirror/site"
)

// Changes is what separates what a place holds from what it should hold.
// The paths are in manifest order.
type Changes struct {
	Add    []string // wanted and not held
	Change []string // held, but not as wanted
	Delete []string // held and not wanted
	Same   int      // held as wanted
}

// Empty reports whether nothing separates the two.
func (c Changes) Empty() bool { return len(c.Add)+len(c.Change)+len(c.Delete) == 0 }

// Between compares two holdings by path. T is all that must be equal for a path to be
// the same: a digest where only bytes matter, more where headers or modes do.
func Between[T comparable](have, want map[string]T) Changes {
	var c Changes
	for path, w := range want {
		switch h, ok := have[path]; {
		case !ok:
			c.Add = append(c.Add, path)
		case h != w:
			c.Change = append(c.Change, path)
		default:
			c.Same++
		}
	}
	for path := range have {
		if _, ok := want[path]; !ok {
			c.Delete = append(c.Delete, path)
		}
	}
	slices.Sort(c.Add)
	slices.Sort(c.Change)
	slices.Sort(c.Delete)
	return c
}

// Manifests compares two manifests by digest.
func Manifests(have, want site.Manifest) Changes {
	return Between(digests(have), digests(want))
}

func digests(m site.Manifest) map[string]site.Digest {
	return maps.Collect(func(yield func(string, site.Digest) bool) {
		for _, f := range m {
			if !yield(f.Path, f.Digest) {
				return
			}
		}
	})
}
