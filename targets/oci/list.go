package oci

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"

	"mirror/site"
	"mirror/targets/oci/internal/image"
)

// Beside each staged image lies a list of its files, under a tag of its own that keeps it
// from the registry's garbage collection: an artifact whose one layer is the manifest's
// text. So the past is told without reading images, and the images are as they were.
const (
	listArtifact = types.MediaType("application/vnd.mirror.files.v1+json")
	listLayer    = types.MediaType("application/vnd.mirror.files.v1.text+gzip")
	labelCreated = "org.opencontainers.image.created"
	labelStaged  = "mirror.staged" // when the release was last staged
	labelPast    = "mirror.past"   // what was live before it, the latest first
)

// Bounds of one look into the past.
const (
	maxLists    = 256       // that are looked at
	maxList     = 64 << 20  // bytes of one, compressed
	maxListText = 256 << 20 // bytes of one
	listsAtOnce = 8
)

func (t *Target) listTag(id site.ID) name.Tag {
	return t.tag.Context().Tag(stagedPrefix + string(id) + listSuffix)
}

// writeList makes the list's layer.
func writeList(m site.Manifest) (*image.Blob, error) {
	list, err := image.WriteBlob(image.Gzip(gzip.DefaultCompression), func(w io.Writer) error {
		_, err := m.WriteTo(w)
		return err
	})
	if err == nil {
		list.Info.MediaType = listLayer
	}
	return list, err
}

// pushList stores a release's list.
func (t *Target) pushList(ctx context.Context, rel *site.Release, list *image.Blob, past []site.ID) error {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), listArtifact)
	img, err := mutate.Append(img, mutate.Addendum{Layer: list, MediaType: listLayer})
	if err != nil {
		return err
	}
	labels := noteOf(past)
	labels[labelRelease], labels[labelCreated] = string(rel.ID()), image.PublishedAt(rel).UTC().Format(time.RFC3339)
	return t.reg.push(ctx, t.listTag(rel.ID()), mutate.Annotations(img, labels).(v1.Image))
}

// list is what an artifact says of the list that it holds.
type list struct {
	release site.ID
	created time.Time
	staged  time.Time
	past    []site.ID // what was live before it, the latest first
	layer   v1.Descriptor

	manifest *v1.Manifest
}

// lists finds the lists of releases, the latest first. One that cannot be read is left out.
func (t *Target) lists(ctx context.Context) (lists, error) {
	tags, err := t.reg.tags(ctx, t.tag.Context())
	if err != nil {
		return nil, err
	}
	return t.listsOf(ctx, tags)
}

// listsOf reads the lists among the tags.
func (t *Target) listsOf(ctx context.Context, tags []string) (lists, error) {
	var mu sync.Mutex
	var found []list
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(listsAtOnce)
	asked := 0
	for _, tag := range tags {
		id, ours := listedRelease(tag)
		if !ours || asked == maxLists {
			continue
		}
		asked++
		g.Go(func() error {
			l, err := t.list(ctx, id)
			if err != nil {
				t.log.Debug("a release's list of files cannot be read", "release", id, "err", err)
				return ctx.Err()
			}
			mu.Lock()
			defer mu.Unlock()
			found = append(found, l)
			return nil
		})
	}
	err := g.Wait()
	slices.SortFunc(found, func(a, b list) int {
		return cmp.Or(b.created.Compare(a.created), cmp.Compare(a.release, b.release))
	})
	return found, err
}

func (t *Target) list(ctx context.Context, id site.ID) (list, error) {
	desc, err := t.reg.get(ctx, t.listTag(id))
	if err != nil {
		return list{}, err
	}
	if desc == nil {
		return list{}, errors.New("it is gone")
	}
	var m v1.Manifest
	if err := json.Unmarshal(desc.Manifest, &m); err != nil {
		return list{}, err
	}
	if m.Config.MediaType != listArtifact || len(m.Layers) != 1 || m.Layers[0].Size > maxList || m.Annotations[labelRelease] != string(id) {
		return list{}, errors.New("it is no list of a release's files")
	}
	created, err := time.Parse(time.RFC3339, m.Annotations[labelCreated])
	if err != nil {
		created = time.Time{} // then it sorts last
	}
	l := list{
		release: id, created: created.UTC(), staged: created.UTC(), past: pastFrom(m.Annotations[labelPast]),
		layer: m.Layers[0], manifest: &m,
	}
	if staged, err := time.Parse(time.RFC3339, m.Annotations[labelStaged]); err == nil {
		l.staged = staged.UTC()
	}
	return l, nil
}

// readList reads a list; the release's id vouches for it.
func (t *Target) readList(ctx context.Context, l list) (site.Manifest, error) {
	layer, err := t.reg.puller.Layer(ctx, t.tag.Context().Digest(l.layer.Digest.String()))
	if err != nil {
		return nil, err
	}
	packed, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	plain, err := gzip.NewReader(io.LimitReader(packed, maxList))
	if err != nil {
		return nil, err
	}
	m, err := site.ReadManifest(io.LimitReader(plain, maxListText))
	if err == nil && m.ID() != l.release {
		err = fmt.Errorf("it is not the list of release %s", l.release.Short())
	}
	return m, err
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

// lived lists what is and was live, the latest first.
func (all lists) lived(live site.ID) []site.ID {
	l, _ := all.find(live)
	return append([]site.ID{live}, l.past...)
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
