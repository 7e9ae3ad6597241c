package command

import (
	"strings"
	"sync"
	"unicode"
)

// Words keeps the beginning of what a program says on its standard error.
type Words struct {
	mu  sync.Mutex // guards buf
	buf []byte
}

// MaxWords bounds what is kept of a program's words, in bytes.
const MaxWords = 4 << 10

// Write keeps what there is room for.
func (w *Words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf, p[:min(len(p), MaxWords-len(w.buf))]...)
	return len(p), nil
}

// String returns the words as Plain does.
func (w *Words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Plain(string(w.buf))
}

// Plain makes a program's words safe for a terminal, bounds and trims them.
func Plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s[:min(len(s), MaxWords)])
	return strings.TrimSpace(s)
}
