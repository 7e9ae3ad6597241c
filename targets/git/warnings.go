package git

import (
	"fmt"
	"sync"

	"mirror/targets"
)

var _ targets.Warner = (*Target)(nil)

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

// TakeWarnings tells where the host refuses what history: says.
func (t *Target) TakeWarnings() []string {
	t.warnings.mu.Lock()
	defer t.warnings.mu.Unlock()
	all := t.warnings.all
	t.warnings.all = nil
	return all
}
