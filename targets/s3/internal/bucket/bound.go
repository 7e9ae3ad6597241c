package bucket

import "fmt"

// The bounds of one listing. A service whose listing has no end is given up before it has taken all
// memory.
const (
	maxListed      = 2 << 20   // objects
	maxListedBytes = 256 << 20 // of their paths
	maxEmptyPages  = 1000      // one after another
)

// bound counts what one listing gave so far.
type bound struct{ objects, bytes, empty int }

// page adds a page of some objects, whose paths have so many bytes.
func (b *bound) page(objects, bytes int) error {
	b.objects += objects
	b.bytes += bytes
	b.empty++
	if objects > 0 {
		b.empty = 0
	}
	switch {
	case b.objects > maxListed:
		return fmt.Errorf("there are more than %d objects (hint: give the site a prefix or a bucket of its own)", maxListed)
	case b.bytes > maxListedBytes:
		return fmt.Errorf("the paths of the objects have more than %d MiB (hint: give the site a prefix or a bucket of its own)", maxListedBytes>>20)
	case b.empty >= maxEmptyPages:
		return fmt.Errorf("the service gave %d pages of a listing without an object, and more to come", maxEmptyPages)
	}
	return nil
}
