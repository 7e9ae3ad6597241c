package check

import (
	"cmp"
	"slices"
	"time"

	"mirror/site"
)

// Validators are what conditional requests go by: an origin that answers 304 says that a page is
// still as it was when it was last read in full.
type Validators struct {
	// Known returns, by path, what the pages of the origin with this key (origin.Endpoint.Key) were
	// last verified as.
	Known func(key string) map[string]Validator
	// Keep hears what is known now: of the pages that were read in full and of those that the
	// origin says have not changed.
	Keep func(key string, known map[string]Validator)
	// Reread is the share, from 0 to 1, of the known pages that are read in full all the
	// same: those for which that was the longest ago.
	Reread float64
}

// Validator is by what an origin tells whether a page has changed (RFC 9110, section 8.8), and
// what the page was then.
type Validator struct {
	ETag, Modified string
	Digest         site.Digest
	Verified       time.Time
}

// known leaves out what is to be read in full this time.
func (s *Validators) known(key string) map[string]Validator {
	if s == nil {
		return nil
	}
	all := s.Known(key)
	paths := make([]string, 0, len(all))
	for path := range all {
		paths = append(paths, path)
	}
	slices.SortFunc(paths, func(a, b string) int {
		return cmp.Or(all[a].Verified.Compare(all[b].Verified), cmp.Compare(a, b))
	})
	reread := int(s.Reread*float64(len(paths)) + 0.999)
	for _, path := range paths[:min(reread, len(paths))] {
		delete(all, path)
	}
	return all
}

func (s *Validators) keep(key string, known map[string]Validator) {
	if s != nil {
		s.Keep(key, known)
	}
}
