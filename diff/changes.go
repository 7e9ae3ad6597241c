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
	// Metadata lists those of Change whose bytes are the same: only what goes with them
	// differs, such as headers or a file mode. Visitors cannot tell them apart by content.
	Metadata []string
}

// Empty reports whether nothing separates the two.
func (c Changes) Empty() bool { return len(c.Add)+len(c.Change)+len(c.Delete) == 0 }

// Contents lists those of Change whose bytes differ.
func (c Changes) Contents() []string { return c.withoutMetadata(slices.Clone(c.Change)) }

// Bytes lists, in manifest order, the paths whose content changes: they are added or
// deleted, or their bytes change.
func (c Changes) Bytes() []string {
	paths := slices.Concat(c.Add, c.Change, c.Delete)
	slices.Sort(paths)
	return c.withoutMetadata(paths)
}

func (c Changes) withoutMetadata(paths []string) []string {
	return slices.DeleteFunc(paths, func(path string) bool {
		_, found := slices.BinarySearch(c.Metadata, path)
		return found
	})
}

// Between compares two holdings by path. T is all that must be equal for a path to be
// the same: a digest where only bytes matter.
func Between[T comparable](have, want map[string]T) Changes {
	return BetweenBytes(have, want, func(have, want T) bool { return have == want })
}

// BetweenBytes is Between where more than the bytes must be equal, such as headers or a
// file mode. sameBytes reports whether the bytes of two that are not equal are the same.
func BetweenBytes[T comparable](have, want map[string]T, sameBytes func(have, want T) bool) Changes {
	var c Changes
	for path, w := range want {
		switch h, ok := have[path]; {
		case !ok:
			c.Add = append(c.Add, path)
		case h != w:
			c.Change = append(c.Change, path)
			if sameBytes(h, w) {
				c.Metadata = append(c.Metadata, path)
			}
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
	slices.Sort(c.Metadata)
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
