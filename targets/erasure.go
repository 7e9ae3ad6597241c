package targets

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	// Purged returns the releases that Restore refuses because files of them were erased, and when that was: those in
	// past, and others that the place remembers although Past lists them no more. Purged of a release of which only the
	// fact is known has the zero time.
	Purged(ctx context.Context, past []site.Past) (Purged, error)
}

// Purged are the releases that cannot be restored because files of them were erased, and when that was.
type Purged map[site.ID]time.Time

// Bounds of what a place remembers of releases that were purged.
const (
	MaxPurged      = 64
	MaxPurgedBytes = 64 << 10 // of the encoded record
)

// With returns the releases and more of them, erased at a time; the latest ones where there are more than MaxPurged.
func (p Purged) With(ids []site.ID, at time.Time) Purged {
	all := maps.Clone(p)
	if all == nil {
		all = Purged{}
	}
	for _, id := range ids {
		all[id] = at.UTC().Truncate(time.Second)
	}
	order := all.Latest()
	for _, id := range order[min(len(order), MaxPurged):] {
		delete(all, id)
	}
	return all
}

// Without returns the releases but one.
func (p Purged) Without(id site.ID) Purged {
	if _, there := p[id]; !there {
		return p
	}
	rest := maps.Clone(p)
	delete(rest, id)
	return rest
}

// Latest lists the releases, those that were purged last first.
func (p Purged) Latest() []site.ID {
	return slices.SortedFunc(maps.Keys(p), func(a, b site.ID) int { return cmp.Or(p[b].Compare(p[a]), cmp.Compare(a, b)) })
}

// Encode writes the releases.
func (p Purged) Encode() []byte {
	text, _ := json.Marshal(p) // texts and times
	return text
}

// DecodePurged reads what Encode wrote, and leaves out what it did not write.
func DecodePurged(text []byte) Purged {
	all := Purged{}
	if len(text) > MaxPurgedBytes || json.Unmarshal(text, &all) != nil {
		return Purged{}
	}
	maps.DeleteFunc(all, func(id site.ID, _ time.Time) bool { _, err := site.ParseID(string(id)); return err != nil })
	return all.With(nil, time.Time{})
}

// PurgedError is why a release cannot be restored: content of it was erased.
type PurgedError struct {
	Release site.ID
	Path    string
	At      time.Time
}

// Error names the file and the time.
func (e *PurgedError) Error() string {
	return fmt.Sprintf("%v: %q of release %s was purged on %s by `publish --purge-now`", ErrNotHeld, e.Path, e.Release.Short(), e.At.Format("2006-01-02 15:04 MST"))
}

// Unwrap is ErrNotHeld.
func (*PurgedError) Unwrap() error { return ErrNotHeld }

// Note adds the release that an error of Refuse is about.
func (p Purged) Note(err error) {
	if e, ok := errors.AsType[*PurgedError](err); ok {
		p[e.Release] = e.At
	}
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

// Refuse returns a *PurgedError where content of a release was removed. there reports whether the target
// has the file's content again, because it was published after that.
func (l Erased) Refuse(id site.ID, m site.Manifest, there func(site.File) bool) error {
	if len(l) == 0 {
		return nil
	}
	for _, f := range m {
		if gone, ok := l[f.Digest]; ok && !there(f) {
			return &PurgedError{id, f.Path, gone.At}
		}
	}
	return nil
}
