package history

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
