package git

import (
	"fmt"
	"sync"
)

// warnings are what people should know of what was done.
type warnings struct {
	mu  sync.Mutex // guards all
	all []string
}

func (w *warnings) add(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, fmt.Sprintf(format, args...))
}
