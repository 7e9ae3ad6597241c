package s3

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
	"mirror/targets/s3/internal/documents"
)

// apart is how many keys lie between two boundaries: a page holds 1,000, and some may be added.
const apart = 950

// Bounds of the file of the boundaries.
const (
	maxBoundaries     = 4096
	maxBoundariesFile = 1 << 22 // bytes
)

// boundaries are paths at which the last listing can be divided, kept in the state folder. Losing them costs
// time: the pages are then listed one after the other.
type boundaries struct {
	file  string // "" for memory only
	apart int

	mu    sync.Mutex // guards what follows
	paths []string   // in order, all of them behind our own folder
}

func loadBoundaries(state string) *boundaries {
	b := &boundaries{apart: apart}
	if state == "" {
		return b
	}
	b.file = filepath.Join(state, "boundaries.json")
	text, err := regular.ReadFile(b.file, maxBoundariesFile)
	if err != nil || json.Unmarshal(text, &b.paths) != nil || len(b.paths) > maxBoundaries || !slices.IsSorted(b.paths) {
		b.paths = nil
	}
	b.paths = slices.DeleteFunc(b.paths, func(path string) bool { return path <= documents.ProbePath })
	return b
}

// keep remembers where the next listing can be divided.
func (b *boundaries) keep(next []string) error {
	b.mu.Lock()
	same := slices.Equal(next, b.paths)
	b.paths = next
	b.mu.Unlock()
	if same || b.file == "" || len(next) > maxBoundaries {
		return nil
	}
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(b.file), 0o700); err != nil {
		return err
	}
	return atomicfile.WriteFile(b.file, text, 0o600)
}

// list returns them.
func (b *boundaries) list() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.paths)
}
