package oci

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"

	"mirror/site"
)

func (t *Target) listTag(id site.ID) name.Tag {
	return t.tag.Context().Tag(stagedPrefix + string(id) + listSuffix)
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
	if m.Config.MediaType != listArtifact || len(m.Layers) == 0 || len(m.Layers) > maxChanges+1 || m.Annotations[labelRelease] != string(id) {
		return list{}, errors.New("it is not a list of the files of a release")
	}
	created, err := time.Parse(time.RFC3339, m.Annotations[labelCreated])
	if err != nil {
		created = time.Time{} // then it sorts last
	}
	l := list{
		release: id, created: created.UTC(), staged: created.UTC(), past: pastFrom(m.Annotations[labelPast]),
		layers: m.Layers, manifest: &m,
	}
	if staged, err := time.Parse(time.RFC3339, m.Annotations[labelStaged]); err == nil {
		l.staged = staged.UTC()
	}
	return l, nil
}

// readList reads a list; the release's id vouches for it.
func (t *Target) readList(ctx context.Context, l list) (site.Manifest, error) {
	return t.newListReader().read(ctx, l)
}

// listReader reads lists of releases that follow each other, each layer once.
type listReader struct {
	t     *Target
	known map[v1.Hash]site.Manifest
	left  int64 // bytes that may still be held
}

func (t *Target) newListReader() *listReader {
	return &listReader{t, map[v1.Hash]site.Manifest{}, maxListText}
}

func (r *listReader) read(ctx context.Context, l list) (site.Manifest, error) {
	var m site.Manifest
	for i, d := range l.layers {
		text, err := r.layer(ctx, d)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			m = text
		} else {
			m = applied(m, text)
		}
	}
	if m.ID() != l.release {
		return nil, fmt.Errorf("it is not the list of release %s", l.release.Short())
	}
	return m, nil
}

// layer reads one layer of a list.
func (r *listReader) layer(ctx context.Context, d v1.Descriptor) (site.Manifest, error) {
	if m, ok := r.known[d.Digest]; ok {
		return m, nil
	}
	if d.Size > maxList {
		return nil, errors.New("it is too large for a list of a release's files")
	}
	layer, err := r.t.reg.puller.Layer(ctx, r.t.tag.Context().Digest(d.Digest.String()))
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
	bounded := &io.LimitedReader{R: plain, N: r.left}
	m, err := site.ReadManifest(bounded)
	if err != nil {
		return nil, err
	}
	r.left = bounded.N
	r.known[d.Digest] = m
	return m, nil
}
