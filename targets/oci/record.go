package oci

import (
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mirror/site"
	"mirror/targets/oci/internal/image"
)

// Kinds of record in the cache, kept apart because they prove different things.
const (
	fromBytes = "read"    // from the bytes that the registry gave
	fromStage = "staged"  // from what this machine pushed
	ofRelease = "release" // an empty one: this machine staged the release
)

// record is what is known of the image with a digest, which never changes.
type record struct {
	Files site.Manifest // that it holds below the web root, the beacon apart
	// Depth is how many layers, from the top down, were read to tell that: those below them add nothing.
	// It is 0 where what is there is not only files and folders.
	Depth int
	// What follows is known of an image that this machine pushed.
	Layers []image.Info    // of the site, the lowest first; those of what is kept and of the base apart
	Blobs  []v1.Hash       // all that the image names, for each platform
	Lists  []v1.Descriptor // the layers of the list of its files
	Past   []site.ID       // what was live before it, the latest first
}

// memory holds the records of the images that were used last, where there is no state folder too.
type memory struct {
	mu   sync.Mutex // guards last
	last []remembered
}

type remembered struct {
	kind, digest string
	record
}

// remembers is how many records are in memory: of what was live, and of what is.
const remembers = 2

func (m *memory) find(kind, digest string) (record, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.last, func(r remembered) bool { return r.kind == kind && r.digest == digest })
	if i < 0 {
		return record{}, false
	}
	return m.last[i].record, true
}

func (m *memory) add(kind, digest string, r record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	others := slices.DeleteFunc(m.last, func(r remembered) bool { return r.kind == kind && r.digest == digest })
	m.last = append([]remembered{{kind, digest, r}}, others[:min(len(others), remembers-1)]...)
}
