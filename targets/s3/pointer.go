package s3

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/verified"
)

// Pointed is a bucket in the layout pointer: each release lies in a folder of its own, and one small
// document says which of them is live. A commit is one conditional request, and atomic. What is at the
// bucket's own keys stays as it is; while there is no pointer, it counts as content of others.
type Pointed struct{ t *Target }

// folderList is the document of a release: its files, and what the service said when it stored them.
type folderList struct {
	Version int               `json:"version"`
	Release site.ID           `json:"release"`
	Files   []documents.Entry `json:"files"`
	Beacon  *documents.Beacon `json:"beacon,omitempty"`
	Facts   []verified.Fact   `json:"facts"`
	// Grace is the list of files of earlier releases that goes live with the release in place of the pointer
	// with the revision GraceFrom.
	Grace     string `json:"grace,omitempty"`
	GraceFrom string `json:"grace_from,omitempty"`
}

// manifest lists the files of the release.
func (l folderList) manifest() site.Manifest {
	m := make(site.Manifest, 0, len(l.Files))
	for _, e := range l.Files {
		m = append(m, site.File{Path: e.Path, Size: e.Size, Digest: e.Digest})
	}
	m.Sort()
	return m
}

func listPath(id site.ID) string { return listsFolder + string(id) }

// wrapped says what failed.
func wrapped(doing string, err error) error {
	if refused := (*targets.RefusedError)(nil); err == nil || errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// at is the place of the live site: what is listed there, by path of the site.
func (p Pointed) at(ctx context.Context) (pointer, map[string]bucket.Object, error) {
	now, err := p.t.readPointer(ctx)
	if err != nil {
		return now, nil, err
	}
	var listed map[string]bucket.Object
	if now.pointerDoc == nil {
		listed, err = p.t.listSite(ctx, documents.StateDocument{})
	} else {
		listed, err = p.folder(ctx, now.Release)
	}
	return now, listed, err
}

// folder lists the files of a release.
func (p Pointed) folder(ctx context.Context, id site.ID) (map[string]bucket.Object, error) {
	list, err := p.t.bucket.List(ctx, folderOf(id))
	out := make(map[string]bucket.Object, len(list))
	for _, o := range list {
		if path := strings.TrimPrefix(o.Path, folderOf(id)); documents.IsSite(path) {
			out[path] = o
		}
	}
	return out, err
}

// liveAt tells what is live.
func liveAt(now pointer, listed map[string]bucket.Object) targets.Live {
	if now.pointerDoc != nil {
		return now.live()
	}
	return targets.Live{Revision: inventory{site: listed}.revision()}
}

// readList reads the list of a release, empty where there is none.
func (p Pointed) readList(ctx context.Context, id site.ID) (folderList, error) {
	var l folderList
	if id == site.None {
		return l, nil
	}
	err := p.t.docs.ReadDocument(ctx, listPath(id), &l)
	if bucket.IsMissing(err) {
		return folderList{}, nil
	}
	if err == nil && (l.Version != documents.Version || l.Release != id) {
		err = fmt.Errorf("read %q: written by another version of mirror", listPath(id))
	}
	return l, err
}

// compare finds out what the listed objects hold, by the list of their release or else by reading them. What is in grace
// beside that release is left out.
func (p Pointed) compare(ctx context.Context, listed map[string]bucket.Object, l folderList, want documents.Entries, beacon string, beside grace.List) (comparison, error) {
	facts := verified.FactSet{}
	for _, f := range l.Facts {
		facts[f] = struct{}{}
	}
	have, unsure := map[string]verified.Content{}, []bucket.Object(nil)
	pathOf := map[string]string{}
	for path, o := range listed {
		e, wanted := want[path]
		_, vouched := facts.Vouches(o, e.Content)
		switch {
		case !wanted && (path == beacon || l.Beacon != nil && path == l.Beacon.Path || beside.Has(path)):
		case !wanted || e.Size != o.Size:
			have[path] = verified.Content{}
		case vouched || p.t.verified.Has(o, e.Content):
			have[path] = e.Content
		default:
			unsure, pathOf[o.Path] = append(unsure, o), path
		}
	}
	read, err := p.t.hashAll(ctx, unsure)
	if err != nil {
		return comparison{}, err
	}
	for key, c := range read {
		have[pathOf[key]] = c
	}
	wanted := make(map[string]verified.Content, len(want))
	for path, e := range want {
		wanted[path] = e.Content
	}
	c := comparison{Changes: diff.BetweenBytes(have, wanted, sameBytes), known: have}
	maps.DeleteFunc(have, func(_ string, c verified.Content) bool { return c == verified.Content{} })
	return c, nil
}

// wanted describes the release's files, or refuses.
func (p Pointed) wanted(rel *site.Release) (documents.Entries, error) {
	for _, f := range rel.Manifest {
		if n := len(p.t.bucket.Prefix + folderOf(rel.ID()) + f.Path); n > documents.MaxKey {
			return nil, &targets.RefusedError{Path: f.Path, Reason: fmt.Sprintf("its key has %d bytes, and S3 takes %d", n, documents.MaxKey), Hint: "shorten the path or the prefix, or use layout: live"}
		}
	}
	return p.t.entriesFor(rel)
}

// Plan compares the live folder with the release.
func (p Pointed) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	want, err := p.wanted(rel)
	if err != nil {
		return targets.Plan{}, err
	}
	now, listed, err := p.at(ctx)
	if err != nil {
		return targets.Plan{}, wrapped("plan", err)
	}
	l, err := p.readList(ctx, now.live().Release)
	if err != nil {
		return targets.Plan{}, wrapped("plan", err)
	}
	beside := p.graceAt(ctx, now)
	c, err := p.compare(ctx, listed, l, want, rel.BeaconPath, beside)
	if err != nil {
		return targets.Plan{}, wrapped("plan", err)
	}
	plan := targets.Plan{Live: liveAt(now, listed), Changes: c.Changes}
	plan.StaysInGrace(p.nextGrace(now, beside, l, listed, rel.Manifest))
	if b, err := site.ParseBeacon(beaconBody(l)); err == nil {
		plan.Sequence = b.Sequence
	}
	if now.pointerDoc == nil && len(c.Delete) > 0 && !p.t.recorded(ctx, documents.StateDocument{}, inventory{site: listed}, rel.BeaconPath) {
		plan.Foreign = c.Delete
	}
	for _, path := range slices.Concat(c.Add, c.Change) {
		plan.Bytes += want[path].Size
	}
	return plan, nil
}

func beaconBody(l folderList) []byte {
	if l.Beacon == nil {
		return nil
	}
	return l.Beacon.Body
}

// Stage fills the folder of the release: what the live folder holds is copied there, the rest is sent.
func (p Pointed) Stage(ctx context.Context, rel *site.Release, progress targets.Progress) error {
	want, err := p.wanted(rel)
	if err == nil {
		err = p.stage(ctx, rel, want, progress)
	}
	return wrapped("stage", err)
}

func (p Pointed) stage(ctx context.Context, rel *site.Release, want documents.Entries, progress targets.Progress) error {
	defer p.t.saveLearnt()
	now, err := p.t.readPointer(ctx)
	if err != nil {
		return err
	}
	there, err := p.folder(ctx, rel.ID())
	if err != nil {
		return err
	}
	if err := p.endOther(ctx, rel); err != nil {
		return err
	}
	own, err := p.readList(ctx, rel.ID())
	if err != nil {
		return err
	}
	c, err := p.compare(ctx, there, own, want, rel.BeaconPath, nil)
	if err != nil {
		return err
	}
	if err := p.t.tryNames(ctx, want, c); err != nil {
		return err
	}
	from := map[site.Digest]bucket.Object{}
	if live := now.live().Release; live != site.None && live != rel.ID() {
		if from, err = p.sources(ctx, live); err != nil {
			return err
		}
	}
	l := folderList{Version: documents.Version, Release: rel.ID(), Beacon: beaconOf(rel), Facts: own.Facts}
	made, err := p.put(ctx, rel, want, slices.Concat(c.Add, c.Change), from, progress)
	if err != nil {
		return err
	}
	l.Facts = append(l.Facts, receiptsIn(folderOf(rel.ID()), want, made)...)
	for _, path := range slices.Sorted(maps.Keys(want)) {
		l.Files = append(l.Files, want[path])
	}
	return p.complete(ctx, rel, now, l, c.Delete)
}

// complete brings what lies beside the files into the folder of a release, deletes what else is there, and writes the list.
func (p Pointed) complete(ctx context.Context, rel *site.Release, now pointer, l folderList, others []string) error {
	if b := l.Beacon; b != nil {
		h := p.t.beaconHeaders(b.Path)
		if _, err := p.t.bucket.PutAs(ctx, folderOf(rel.ID())+b.Path, b.Body, bucket.Attributes{Headers: &h, ACL: bucket.ACL{Canned: p.canned()}}); err != nil {
			return err
		}
	}
	if err := p.t.putSums(ctx, rel, folderOf(rel.ID()), bucket.ACL{Canned: p.canned()}); err != nil {
		return err
	}
	stays, stored, err := p.bringGrace(ctx, now, rel.Manifest)
	if err != nil {
		return err
	}
	l.Grace, l.GraceFrom = stored, now.live().Revision
	var extra []string
	for _, path := range others {
		if !stays.Has(path) {
			extra = append(extra, folderOf(rel.ID())+path)
		}
	}
	if err := p.t.bucket.Remove(ctx, extra); err != nil {
		return err
	}
	return p.t.docs.WriteDocument(ctx, listPath(rel.ID()), &l)
}

func (p Pointed) canned() string {
	if p.t.acl == noACL {
		return ""
	}
	return p.t.acl
}

// sources are the objects of the live release whose content is certain, by digest.
func (p Pointed) sources(ctx context.Context, live site.ID) (map[site.Digest]bucket.Object, error) {
	l, err := p.readList(ctx, live)
	if err != nil {
		return nil, err
	}
	listed, err := p.folder(ctx, live)
	if err != nil {
		return nil, err
	}
	entries := documents.Entries{}
	for _, e := range l.Files {
		entries[e.Path] = e
	}
	c, err := p.compare(ctx, listed, l, entries, "", nil)
	out := map[site.Digest]bucket.Object{}
	for path, content := range c.known {
		out[content.Digest] = listed[path]
	}
	return out, err
}

// put brings files into the folder of the release.
func (p Pointed) put(ctx context.Context, rel *site.Release, want documents.Entries, paths []string, from map[site.Digest]bucket.Object, progress targets.Progress) (map[string]bucket.Receipt, error) {
	if progress != nil {
		files, bytes := 0, int64(0)
		for _, path := range paths {
			if _, copied := from[want[path].Digest]; !copied {
				files, bytes = files+1, bytes+want[path].Size
			}
		}
		progress.Expect(files, bytes)
	}
	var mu sync.Mutex
	made := map[string]bucket.Receipt{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(p.t.bucket.Limit)
	for _, path := range paths {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			r, err := p.putOne(ctx, rel, want[path], from, progress)
			mu.Lock()
			defer mu.Unlock()
			made[path] = r
			return err
		})
	}
	return made, g.Wait()
}

func (p Pointed) putOne(ctx context.Context, rel *site.Release, e documents.Entry, from map[site.Digest]bucket.Object, progress targets.Progress) (bucket.Receipt, error) {
	to := folderOf(rel.ID()) + e.Path
	a := bucket.Attributes{Headers: &e.Headers, ACL: bucket.ACL{Canned: p.canned()}, Demanded: p.canned() != "", Class: p.t.class}
	if o, ok := from[e.Digest]; ok {
		return p.t.bucket.CopyAs(ctx, o.Path, to, a, o.ETag)
	}
	f, _ := rel.Manifest.Find(e.Path)
	r, err := p.t.bucket.PutFile(ctx, to, rel, f, a)
	if err != nil {
		return r, fmt.Errorf("%s: %w", e.Path, err)
	}
	if progress != nil {
		progress.Sent(1, f.Size)
	}
	return r, nil
}

// receiptsIn are the facts about objects in a folder.
func receiptsIn(folder string, want documents.Entries, made map[string]bucket.Receipt) []verified.Fact {
	var all []verified.Fact
	for path, r := range made {
		if e := want[path]; r.ETag != "" && !r.At.IsZero() {
			all = append(all, verified.ReceiptOf(folder+path, e.Size, r, e.Content))
		}
	}
	return all
}

// Version names what the pointer names now, with the files in grace: it is another one after each move.
func (p Pointed) Version(ctx context.Context) (id site.ID, version string, err error) {
	now, err := p.t.readPointer(ctx)
	if err != nil {
		return site.None, "", wrapped("look what is live", err)
	}
	return now.live().Release, strings.Trim(now.etag, `"`), nil
}
