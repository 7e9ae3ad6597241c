// Package secrets keeps secrets out of whatever the program shows or stores.
//
// A Scrubber knows the secrets of a run: tokens of the environment, passwords in URLs, the
// paths of webhooks, keys of a credential chain. Scrub replaces each of them in a text by
// stars, in every form in which a server or a command may repeat it: as it is, URL-encoded,
// JSON-, HTML- or Markdown-escaped, in base64 (also behind a user name, as basic
// authentication has it) and in hex, in upper or lower case. A long piece of a secret is
// replaced too, since texts are cut.
//
// What is shorter than Shortest, or one of a few common words, is not replaced: it would turn
// sound output into stars. Weak lists where such a secret came from, so that the user can be
// told.
package secrets

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Masked stands in a text for what must not be seen.
const Masked = "***"

// Enough is the length in bytes of a secret that is never too common to be replaced.
const Enough = 8

// Bounds of a Scrubber: more secrets than a run can have, and longer than a token is.
const (
	maxSecrets = 10_000
	maxLength  = 16 << 10
)

// Scrubber takes secrets out of texts. It is safe for concurrent use; a nil Scrubber knows no
// secret. Make it with New or NewStrict.
type Scrubber struct {
	strict bool
	table  atomic.Pointer[table] // nil when it is to be built anew

	mu     sync.Mutex // guards what follows
	known  map[string]bool
	values []string
	weak   []string
	named  int // of weak, how many NewlyWeak returned
}

// New returns a scrubber that leaves sound output alone: see the package's comment.
func New() *Scrubber { return &Scrubber{known: map[string]bool{}} }

// NewStrict returns a scrubber of texts of which nothing is needed but a cause: each piece of a
// secret that is as long as Shortest is replaced, whatever else it means.
func NewStrict(values ...string) *Scrubber {
	s := &Scrubber{known: map[string]bool{}, strict: true}
	for _, v := range values {
		s.Add("", v)
	}
	return s
}

// Add makes a secret known. The source says where it came from, for Weak.
func (s *Scrubber) Add(source, value string) {
	if s == nil {
		return
	}
	value = strings.TrimSpace(value)
	if value == "" || len(value) > maxLength {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.known[value] || len(s.values) >= maxSecrets:
	case !s.strict && isWeak(value):
		if source != "" && !slices.Contains(s.weak, source) {
			s.weak = append(s.weak, source)
		}
	default:
		s.known[value] = true
		s.values = append(s.values, value)
		s.table.Store(nil)
	}
}

// Weak lists the sources of secrets that are too short or too common to be replaced.
func (s *Scrubber) Weak() []string {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.weak)
}

// NewlyWeak lists those of Weak that it has not listed before.
func (s *Scrubber) NewlyWeak() []string {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := slices.Clone(s.weak[s.named:])
	s.named = len(s.weak)
	return fresh
}

// current returns the table of all secrets known so far.
func (s *Scrubber) current() *table {
	if s == nil {
		return nothing
	}
	if t := s.table.Load(); t != nil {
		return t
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.table.Load(); t != nil {
		return t
	}
	t := newTable(s.values, s.strict)
	s.table.Store(t)
	return t
}

// Scrub returns a text with stars in place of secrets.
func (s *Scrubber) Scrub(text string) string {
	found := find(s.current(), text)
	if len(found) == 0 {
		return text
	}
	var out strings.Builder
	at := 0
	for _, f := range found {
		out.WriteString(text[at:f.from])
		out.WriteString(Masked)
		at = f.to
	}
	out.WriteString(text[at:])
	return out.String()
}

// Bytes is Scrub for bytes. Where there is no secret it returns the text itself.
func (s *Scrubber) Bytes(text []byte) []byte {
	found := find(s.current(), text)
	if len(found) == 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	at := 0
	for _, f := range found {
		out = append(append(out, text[at:f.from]...), Masked...)
		at = f.to
	}
	return append(out, text[at:]...)
}
