package compare

import "fmt"

// sample is pages of which something is to be said: how many, and one of them.
type sample struct {
	pages int
	first string
}

func (s *sample) addIf(ok bool, path string) {
	if !ok {
		return
	}
	if s.pages++; s.pages == 1 || path < s.first {
		s.first = path
	}
}

// String tells how many pages there are, and one of them.
func (s sample) String() string {
	if s.pages == 1 {
		return fmt.Sprintf("1 page (/%s)", s.first)
	}
	return fmt.Sprintf("%d pages (such as /%s)", s.pages, s.first)
}
