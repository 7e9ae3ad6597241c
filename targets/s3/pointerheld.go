package s3

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"mirror/internal/wait"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// ReadBack reads every object of the live folder.
func (p Pointed) ReadBack(ctx context.Context) (site.Manifest, error) {
	now, listed, err := p.at(ctx)
	if err != nil {
		return nil, wrapped("read back", err)
	}
	l, err := p.readList(ctx, now.live().Release)
	if err != nil {
		return nil, wrapped("read back", err)
	}
	beside, own := p.graceAt(ctx, now), l.manifest()
	var m site.Manifest
	for path := range listed {
		_, ours := own.Find(path)
		if (l.Beacon == nil || path != l.Beacon.Path) && (ours || !beside.Has(path)) {
			m = append(m, site.File{Path: path})
		}
	}
	m.Sort()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(p.t.bucket.Limit)
	for i := range m {
		g.Go(func() (err error) {
			m[i].Digest, m[i].Size, err = p.t.bucket.Digest(ctx, listed[m[i].Path].Path)
			return err
		})
	}
	return m, wrapped("read back", g.Wait())
}

// Past lists the releases whose lists are there, the latest live first.
func (p Pointed) Past(ctx context.Context, limit int, of []string) ([]site.Past, error) {
	now, err := p.t.readPointer(ctx)
	if err != nil {
		return nil, wrapped("past", err)
	}
	if now.pointerDoc == nil {
		return p.t.pastOfOthers(ctx, documents.StateDocument{}, of)
	}
	var past []site.Past
	for _, id := range append([]site.ID{now.Release}, now.Previous...) {
		l, err := p.readList(ctx, id)
		if err != nil {
			return past, wrapped("past", err)
		}
		if l.Release != id || len(past) >= min(limit, maxPast) {
			continue
		}
		one := site.Past{Release: id, Published: (&documents.Snapshot{Beacon: l.Beacon}).Published(), Manifest: l.manifest()}
		if one.Manifest.ID() == id {
			past = append(past, one)
		}
	}
	return past, nil
}

// Prune deletes the folders that r lets expire, and those of interrupted stagings.
func (p Pointed) Prune(ctx context.Context, r targets.Retention) error {
	now, err := p.t.readPointer(ctx)
	if err == nil {
		now, err = p.shortenGrace(ctx, now)
	}
	if err != nil {
		return wrapped("prune", err)
	}
	own, err := p.t.listOwn(ctx)
	if err != nil {
		return wrapped("prune", err)
	}
	p.t.endOld(ctx, own, r)
	var lived []site.ID
	if now.pointerDoc != nil {
		lived = append([]site.ID{now.Release}, now.Previous...)
	}
	expired := r.Expired(heldIn(own), lived)
	unused := p.oldGrace(now, own, r)
	for _, path := range slices.Sorted(maps.Keys(own)) {
		if id, ok := releaseOf(path); ok && slices.Contains(expired, id) && (now.pointerDoc == nil || id != now.Release) {
			unused = append(unused, path)
		}
	}
	slices.SortStableFunc(unused, func(a, b string) int { // lists come first: no list is left without its files
		return strings.Compare(firstPart(a), firstPart(b))
	})
	return wrapped("prune", p.t.bucket.Remove(ctx, unused))
}

// heldIn lists the releases of which something is there, as young as the youngest of it.
func heldIn(own map[string]bucket.Object) []targets.Held {
	held := map[site.ID]targets.Held{}
	for path, o := range own {
		id, ok := releaseOf(path)
		if age := o.Seen.Sub(o.Modified); ok && (held[id].Release == site.None || age < held[id].Age) {
			held[id] = targets.Held{Release: id, Age: age}
		}
	}
	return slices.Collect(maps.Values(held))
}

// releaseOf is the release to whose folder, or list, a key of ours belongs.
func releaseOf(path string) (site.ID, bool) {
	if name, isList := strings.CutPrefix(path, listsFolder); isList {
		id, err := site.ParseID(name)
		return id, err == nil
	}
	return idOf(path)
}

func firstPart(path string) string {
	if strings.HasPrefix(path, listsFolder) {
		return "0"
	}
	return "1"
}

// ReadNotes reads the object of the notes.
func (p Pointed) ReadNotes(ctx context.Context, limit int64) ([]byte, error) {
	return p.t.ReadNotes(ctx, limit)
}

// WriteNotes replaces the object of the notes.
func (p Pointed) WriteNotes(ctx context.Context, text []byte) error { return p.t.WriteNotes(ctx, text) }

// Restore opens the folder of a release.
func (p Pointed) Restore(ctx context.Context, id site.ID) (targets.Restored, error) {
	l, err := p.readList(ctx, id)
	if err != nil {
		return nil, wrapped("restore", err)
	}
	m := l.manifest()
	if l.Release != id || m.ID() != id {
		return nil, fmt.Errorf("restore: %s: %w", id.Short(), targets.ErrNotHeld)
	}
	gone, err := p.t.readErased(ctx)
	if err == nil {
		err = p.refuseErased(ctx, gone, id, m)
	}
	if err != nil {
		return nil, wrapped("restore", err)
	}
	return restoredFolder{p.t.bucket, folderOf(id), m, p.besides(ctx, l)}, nil
}

// besides lists what the folder of a release has beside its files: the beacon and, if the release is live, the files in
// grace.
func (p Pointed) besides(ctx context.Context, l folderList) []site.File {
	var all []site.File
	if b := l.Beacon; b != nil {
		all = append(all, site.File{Path: b.Path, Size: int64(len(b.Body)), Digest: sha256.Sum256(b.Body)})
	}
	if now, err := p.t.readPointer(ctx); err == nil && now.live().Release == l.Release {
		for _, e := range p.graceAt(ctx, now) {
			if !e.Digest.IsZero() {
				all = append(all, site.File{Path: e.Path, Size: e.Size, Digest: e.Digest})
			}
		}
	}
	return all
}

// restoredFolder is a release in its folder.
type restoredFolder struct {
	bucket   *bucket.Bucket
	folder   string
	manifest site.Manifest
	beside   []site.File
}

// Beside lists the files that are served with the release and are no part of it.
func (r restoredFolder) Beside() []site.File { return r.beside }

// Manifest returns the files that the list of the release names.
func (r restoredFolder) Manifest() site.Manifest { return r.manifest }

// Copy reads an object of the folder.
func (r restoredFolder) Copy(ctx context.Context, w io.Writer, f site.File) error {
	body, err := r.bucket.Open(ctx, r.folder+f.Path)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(w, io.LimitReader(wait.Reader(ctx, body), f.Size+1)) // one byte more shows that it was altered
	return err
}

// Close has nothing to do.
func (restoredFolder) Close() error { return nil }
