package targets

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"mirror/site"
)

// Erasure says which files an Eraser removes for good.
type Erasure struct {
	Paths []string      // none of them is in Live
	Live  *site.Release // what is live: its files stay, whatever their content is
}

// Eraser is a Target that can remove content from all that it keeps.
type Eraser interface {
	// Erase removes the files at the paths, and every copy of their content under another name, from what
	// is served beside the live release, from what is staged and from earlier releases, so that these can no longer be
	// restored. The error wraps ErrConflict where another release than e.Live is live. It may be repeated. left says, for
	// people, what may hold the content still and cannot be removed from here.
	Erase(ctx context.Context, e Erasure) (left []string, err error)
}

// PurgedLister is a Restorer that lists releases of which it does not hold all because of Erase.
type PurgedLister interface {
	// Purged returns those of the releases in past that Restore refuses because files of them were erased.
	Purged(ctx context.Context, past []site.Past) ([]site.ID, error)
}

// Digests returns the content that the paths had in releases, without what the live release has too.
func (e Erasure) Digests(releases []site.Manifest) map[site.Digest]string {
	gone := map[site.Digest]string{}
	for _, m := range releases {
		for _, path := range e.Paths {
			if f, ok := m.Find(path); ok && !f.Digest.IsZero() {
				gone[f.Digest] = path
			}
		}
	}
	for _, f := range e.Live.Manifest {
		delete(gone, f.Digest)
	}
	return gone
}

// In lists the files of a release that are erased: by their path, or by content that is gone.
func (e Erasure) In(m site.Manifest, gone map[site.Digest]string) []string {
	var paths []string
	for _, f := range m {
		if _, ok := gone[f.Digest]; ok || slices.Contains(e.Paths, f.Path) {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

// Erased is the record of what was removed from a place, by the digests of the content.
type Erased map[site.Digest]ErasedFile

// ErasedFile is a file whose content was removed.
type ErasedFile struct {
	Path string    `json:"path"`
	At   time.Time `json:"at"`
}

// Bounds of a record.
const (
	maxErased      = 10_000
	MaxErasedBytes = 4 << 20 // of the encoded record
)

// With returns the record with more content in it.
func (l Erased) With(gone map[site.Digest]string, at time.Time) Erased {
	all := Erased{}
	for digest, f := range l {
		all[digest] = f
	}
	for digest, path := range gone {
		if len(all) < maxErased {
			all[digest] = ErasedFile{path, at.UTC().Truncate(time.Second)}
		}
	}
	return all
}

// Encode writes the record.
func (l Erased) Encode() []byte {
	text, _ := json.Marshal(l) // texts and times
	return append(text, '\n')
}

// DecodeErased reads a record, an empty one where the text is none.
func DecodeErased(text []byte) Erased {
	l := Erased{}
	if len(text) > MaxErasedBytes || json.Unmarshal(text, &l) != nil {
		return Erased{}
	}
	return l
}

// Refuse returns an error that wraps ErrNotHeld where content of a release was removed. there reports whether the target
// has the file's content again, because it was published after that.
func (l Erased) Refuse(id site.ID, m site.Manifest, there func(site.File) bool) error {
	if len(l) == 0 {
		return nil
	}
	for _, f := range m {
		if gone, ok := l[f.Digest]; ok && !there(f) {
			return fmt.Errorf("%w: %q of release %s was purged on %s by `publish --purge-now`", ErrNotHeld, f.Path, id.Short(), gone.At.Format("2006-01-02 15:04 MST"))
		}
	}
	return nil
}
