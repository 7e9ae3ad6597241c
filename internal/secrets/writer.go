package secrets

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// Writer scrubs a stream. What may be the beginning of a secret is held back until more is
// written, a line ends, or Flush. It is safe for concurrent use.
type Writer struct {
	scrubber *Scrubber
	to       io.Writer

	mu   sync.Mutex
	held []byte
}

// Writer returns a writer that passes on to another one what it scrubbed.
func (s *Scrubber) Writer(to io.Writer) *Writer { return &Writer{scrubber: s, to: to} }

// Unwrap returns the writer behind it.
func (w *Writer) Unwrap() io.Writer { return w.to }

// Write scrubs p and passes it on.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.scrubber.current()
	if t == nothing && len(w.held) == 0 {
		return w.to.Write(p)
	}
	text := p
	if len(w.held) > 0 {
		text = append(w.held, p...)
	}
	ready := len(text) - unfinished(t, text)
	held := append([]byte(nil), text[ready:]...)
	_, err := w.to.Write(w.scrubber.Bytes(text[:ready]))
	w.held = held
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush passes on what was held back.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.held) == 0 {
		return nil
	}
	_, err := w.to.Write(w.scrubber.Bytes(w.held))
	w.held = nil
	return err
}

// unfinished returns how many bytes at the end of a text may be the beginning of a secret.
func unfinished(t *table, text []byte) int {
	last := text[max(0, len(text)-t.longest):]
	last = last[bytes.LastIndexByte(last, '\n')+1:]
	if len(last) == 0 {
		return 0
	}
	end := fold(string(last))
	for n := len(end); n > 0; n-- {
		rest := end[len(end)-n:]
		for _, i := range t.first[rest[0]] {
			if strings.HasPrefix(t.forms[i].text, rest) {
				return n
			}
		}
	}
	return 0
}
