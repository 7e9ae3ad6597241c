package s3

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
	"mirror/targets/s3/internal/bucket"
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

// segments are the parts in which the bucket is listed, and which of them holds our own folder.
func (t *Target) segments(h documents.StateDocument) (all []bucket.Segment, own int) {
	t.bounds.mu.Lock()
	defer t.bounds.mu.Unlock()
	first := bucket.Segment{}
	if h.ETag() != "" {
		first.Skip = func(path string) bool { return strings.HasPrefix(path, documents.OwnPrefix) }
	}
	all = append(all, first)
	for _, path := range t.bounds.paths {
		all[len(all)-1].Until = path
		all = append(all, bucket.Segment{After: path})
	}
	return all, 0
}

// divide remembers where the next listing can be divided.
func (t *Target) divide(inv inventory) {
	paths := slices.Sorted(maps.Keys(inv.site))
	start, _ := slices.BinarySearch(paths, documents.ProbePath)
	var next []string
	for i := start; i < len(paths); i++ {
		if n := i + len(inv.own); n/t.bounds.apart > len(next) && i+1 < len(paths) {
			next = append(next, paths[i])
		}
	}
	t.bounds.mu.Lock()
	same := slices.Equal(next, t.bounds.paths)
	t.bounds.paths = next
	t.bounds.mu.Unlock()
	if same || t.bounds.file == "" || len(next) > maxBoundaries {
		return
	}
	text, err := json.Marshal(next)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(t.bounds.file), 0o700)
	}
	if err == nil {
		err = atomicfile.WriteFile(t.bounds.file, text, 0o600)
	}
	if err != nil {
		t.log.Warn("where a listing can be divided is not remembered", "err", err)
	}
}
