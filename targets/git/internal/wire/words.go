package wire

import (
	"strings"
	"sync"
	"unicode"
)

// words keeps the beginning of what a program says on its standard error.
type words struct {
	mu  sync.Mutex // guards buf
	buf []byte
}

// maxMessage bounds what is kept of a server's words, in bytes.
const maxMessage = 4 << 10

func (t *words) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p[:min(len(p), maxMessage-len(t.buf))]...)
	return len(p), nil
}

func (t *words) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return plain(string(t.buf))
}

// plain makes a server's words safe for a terminal and trims them.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s[:min(len(s), maxMessage)])
	return strings.TrimSpace(s)
}
