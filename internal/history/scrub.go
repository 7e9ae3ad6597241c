package history

import (
	"encoding/json"
	"slices"

	"mirror/diff"
)

// ScrubWith has texts of origins, targets and commands go through scrub before they are
// stored, so that no secret that one of them repeats is in the file. Call it before the store
// is used.
func (s *Store) ScrubWith(scrub func(text string) string) { s.scrub = scrub }

// clean returns a text as it may be stored.
func (s *Store) clean(text string) string {
	if s.scrub == nil {
		return text
	}
	return s.scrub(text)
}

// cleanCheck returns a check as it may be stored.
func (s *Store) cleanCheck(c Check) Check {
	c.Err = s.clean(c.Err)
	c.Origins = slices.Clone(c.Origins)
	for i := range c.Origins {
		c.Origins[i] = s.cleanOrigin(c.Origins[i])
	}
	return c
}

// cleanOrigin returns an origin as it may be stored. It goes by way of JSON, so that a text
// that is added to an origin one day is clean as well.
func (s *Store) cleanOrigin(o diff.OriginState) diff.OriginState {
	text, err := json.Marshal(o)
	clean := s.clean(string(text))
	if err == nil && clean == string(text) {
		return o
	}
	var c diff.OriginState
	if err != nil || json.Unmarshal([]byte(clean), &c) != nil {
		return diff.OriginState{Name: o.Name, State: o.State}
	}
	return c
}

// cleanDifferences returns differences as they may be stored. There may be a million, nearly
// always without a secret: then they are not copied.
func (s *Store) cleanDifferences(all []diff.Difference) []diff.Difference {
	copied := false
	for i := range all {
		d := all[i]
		d.Path, d.URL, d.Location, d.Detail, d.Excerpt = s.clean(d.Path), s.clean(d.URL), s.clean(d.Location), s.clean(d.Detail), s.clean(d.Excerpt)
		if d == all[i] {
			continue
		}
		if !copied {
			all, copied = slices.Clone(all), true
		}
		all[i] = d
	}
	return all
}
