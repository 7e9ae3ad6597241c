package workspace

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"mirror/internal/history"
)

// Warnings gathers what failed in one run of the program, or of a job, without changing its
// outcome. A nil one forgets them. It is safe for concurrent use.
type Warnings struct {
	mu   sync.Mutex // guards what follows
	all  []string
	busy bool // another process held the history for as long as it was waited for
}

// Add adds a warning.
func (w *Warnings) Add(format string, args ...any) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, fmt.Sprintf(format, args...))
}

// Take returns the warnings, for a document, and forgets them.
func (w *Warnings) Take() []string {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.all
	w.all = nil
	return all
}

// How long one command waits for another process that holds the history: once for the first of
// these, and after that, each time it is needed, for the second.
const (
	historyPatience = 3 * time.Second
	historyGlance   = 100 * time.Millisecond
)

// patience is how long the history may be waited for now.
func (w *Warnings) patience() time.Duration {
	if w == nil {
		return historyPatience
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy {
		return historyGlance
	}
	return historyPatience
}

// met takes note of how a use of the history ended.
func (w *Warnings) met(err error) {
	if w == nil || !errors.Is(err, history.ErrBusy) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = true
}
