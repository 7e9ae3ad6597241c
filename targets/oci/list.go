package oci

import (
	"io"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"

	"mirror/site"
	"mirror/targets/oci/internal/image"
)

// Beside each staged image lies a list of its files, under a tag of its own that keeps it
// from the registry's garbage collection: an artifact whose layers are the text of a manifest, and of
// what has changed since, release by release. So the past is told without reading images.
const (
	listArtifact = types.MediaType("application/vnd.mirror.files.v1+json")
	listLayer    = types.MediaType("application/vnd.mirror.files.v1.text+gzip")
	// listChanges is a manifest's text of what was added and changed, and of what was deleted, that with
	// the digest of zeros.
	listChanges  = types.MediaType("application/vnd.mirror.files.v1.changes+gzip")
	listConfig   = "{}"
	labelCreated = "org.opencontainers.image.created"
	labelStaged  = "mirror.staged" // when the release was last staged
	labelPast    = "mirror.past"   // what was live before it, the latest first
)

// Bounds of one look into the past.
const (
	maxLists    = 256       // that are looked at
	maxList     = 64 << 20  // bytes of one, compressed
	maxListText = 256 << 20 // bytes of one
	maxChanges  = 64        // layers of one
	listsAtOnce = 8
)

// fileList is a list to be stored.
type fileList struct {
	below []v1.Descriptor // layers that the registry has
	blob  *image.Blob     // what is added to them, nil for nothing
}

// Close gives the space of the added part back.
func (l fileList) Close() {
	if l.blob != nil {
		_ = l.blob.Close() // it was only read
	}
}

func (l fileList) size() int64 {
	if l.blob == nil {
		return 0
	}
	return l.blob.Info.Size
}

// writeList makes a list as a whole.
func writeList(m site.Manifest) (fileList, error) {
	blob, err := writeText(m, listLayer)
	return fileList{blob: blob}, err
}

func writeText(m site.Manifest, mt types.MediaType) (*image.Blob, error) {
	blob, err := image.WriteBlob(image.Gzip(gzip.DefaultCompression), func(w io.Writer) error {
		_, err := m.WriteTo(w)
		return err
	})
	if err == nil {
		blob.Info.MediaType = mt
	}
	return blob, err
}

// changesOf lists what leads from one manifest to another: files, and, with the digest of zeros, what is
// deleted.
func changesOf(old, now site.Manifest) site.Manifest {
	var changes site.Manifest
	for _, f := range now {
		if was, there := old.Find(f.Path); !there || was.Digest != f.Digest {
			changes = append(changes, f)
		}
	}
	for _, f := range old {
		if _, there := now.Find(f.Path); !there {
			changes = append(changes, site.File{Path: f.Path})
		}
	}
	changes.Sort()
	return changes
}

// applied returns the manifest that changes lead to.
func applied(m, changes site.Manifest) site.Manifest {
	now := slices.DeleteFunc(slices.Clone(m), func(f site.File) bool { _, changed := changes.Find(f.Path); return changed })
	for _, f := range changes {
		if f.Digest != (site.Digest{}) {
			now = append(now, f)
		}
	}
	now.Sort()
	return now
}

// list is what an artifact says of the list that it holds.
type list struct {
	release site.ID
	created time.Time
	staged  time.Time
	past    []site.ID       // what was live before it, the latest first
	layers  []v1.Descriptor // the first is a whole manifest, the others are changes

	manifest *v1.Manifest
	own      bool // this machine wrote it
}

// lists are what the lists of releases say of them, the latest published first.
type lists []list

func (all lists) find(id site.ID) (list, bool) {
	i := slices.IndexFunc(all, func(l list) bool { return l.release == id })
	if i < 0 {
		return list{}, false
	}
	return all[i], true
}

// age is the time since a release was last staged, by the clock of who staged it; 0 where no
// list tells.
func (all lists) age(id site.ID) time.Duration {
	l, ok := all.find(id)
	if !ok {
		return 0
	}
	return time.Since(l.staged)
}

// maxRemembered bounds how many releases a list names as its past.
const maxRemembered = 50

// noteOf are the annotations that say when a release was staged and what it follows.
func noteOf(past []site.ID) map[string]string {
	var text []string
	for _, id := range past {
		text = append(text, string(id))
	}
	return map[string]string{labelStaged: time.Now().UTC().Format(time.RFC3339), labelPast: strings.Join(text, " ")}
}

func pastFrom(text string) []site.ID {
	var past []site.ID
	for name := range strings.FieldsSeq(text) {
		if id, err := site.ParseID(name); err == nil && len(past) < maxRemembered {
			past = append(past, id)
		}
	}
	return past
}
