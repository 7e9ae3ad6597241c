package s3

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/verified"
)

// request is all that a change is made from.
type request struct {
	to     site.ID
	want   documents.Entries
	beacon *documents.Beacon
	held   documents.StateDocument
	inv    inventory
	comparison
	texts map[string]string // content that the change is to hold, by path
	fill  []string          // paths whose content goes in place at once; no part of comparison
}

// prepare keeps the content that the commit would replace, and writes the change down.
func (t *Target) prepare(ctx context.Context, r request) (*documents.Change, error) {
	from := liveOf(r.held, r.inv)
	before, err := r.held.AtRest()
	if err != nil {
		return nil, err
	}
	swap := targets.Swap{From: from, To: r.to}
	ch := &documents.Change{
		Version: documents.Version, From: documents.LiveRef(from), To: r.to, Origin: documents.LiveRef(from), Before: before,
		Beacon: r.beacon, Deletes: slices.Concat(r.Delete, r.ended), Ended: r.ended, Fill: r.fill,
	}
	if ch.Grace, err = t.writeGrace(ctx, r.grace); err != nil {
		return nil, err
	}
	for _, path := range slices.Concat(r.Add, r.Change) {
		e := r.want[path]
		c := documents.Copy{Path: path, Source: documents.ObjectPath(e.Digest), Headers: &e.Headers}
		if text, ok := r.texts[path]; ok {
			c.Source, c.Text = "", &text
		}
		ch.Copies = append(ch.Copies, c)
	}
	addBeacons(ch, r)
	nonce := newChangeName()
	backups, err := t.planUndo(ctx, ch, r, nonce)
	if err != nil {
		return nil, err
	}
	if err := t.keepACLs(ctx, ch, r.inv); err != nil {
		return nil, err
	}
	if err := t.inherit(ctx, ch, r.held); err != nil {
		return nil, err
	}
	if err := t.keepBefore(ctx, backups, r); err != nil {
		return nil, err
	}
	ch.Path = documents.ChangeFolder(swap) + nonce
	return ch, t.docs.WriteDocument(ctx, ch.Path, ch)
}

// keepBefore makes copies of what the commit would replace. Where the service does not show that they are of
// what was listed, nothing may have been committed meanwhile.
func (t *Target) keepBefore(ctx context.Context, backups []documents.Copy, r request) error {
	certain, err := t.backUp(ctx, once(backups), r.inv)
	if err != nil || certain {
		return err
	}
	now, err := t.docs.ReadState(ctx)
	if err == nil && now.ETag() != r.held.ETag() && (now.None() != r.held.None() || !now.None() && now.Revision != r.held.Revision) {
		err = errChanged
	}
	return err
}

// addBeacons has the beacons of earlier releases deleted that lie elsewhere.
func addBeacons(ch *documents.Change, r request) {
	for _, path := range r.held.BeaconPaths("") {
		_, there := r.inv.site[path]
		_, wanted := r.want[path]
		if there && !wanted && (r.beacon == nil || r.beacon.Path != path) {
			ch.Deletes = append(ch.Deletes, path)
		}
	}
	slices.Sort(ch.Deletes)
	ch.Deletes = slices.Compact(ch.Deletes)
}

// planUndo says for each path that the change touches how it comes back. It returns the
// copies to make for that beforehand.
func (t *Target) planUndo(ctx context.Context, ch *documents.Change, r request, nonce string) (backups []documents.Copy, err error) {
	touched := slices.Clone(ch.Deletes)
	for _, c := range ch.Copies {
		touched = append(touched, c.Path)
	}
	if ch.Beacon != nil {
		touched = append(touched, ch.Beacon.Path)
	}
	leaving := leavingFor(r)
	was, b, err := t.knownBefore(ctx, r, slices.Concat(touched, leaving))
	if err != nil {
		return nil, err
	}
	for _, path := range leaving {
		o := r.inv.site[path]
		if c, known := was(o); known && !r.inv.holds(c.Digest, o.Size) {
			backups = append(backups, documents.Copy{Path: documents.ObjectPath(c.Digest), Source: path, Headers: &bucket.Staged})
		}
	}
	for _, path := range touched {
		o, there := r.inv.site[path]
		if !there {
			ch.Added = append(ch.Added, path)
			continue
		}
		c, known := was(o)
		if known && b != nil && b.Path == path && c.Digest == sha256.Sum256(b.Body) {
			text := string(b.Body)
			ch.Restores = append(ch.Restores, documents.Copy{Path: path, Text: &text, Headers: &c.Headers})
			continue
		}
		if known && c.Headers.Other == "" {
			kept := documents.ObjectPath(c.Digest)
			ch.Restores = append(ch.Restores, documents.Copy{Path: path, Source: kept, Headers: &c.Headers})
			if !r.inv.holds(c.Digest, o.Size) {
				backups = append(backups, documents.Copy{Path: kept, Source: path, Headers: &bucket.Staged})
			}
			continue
		}
		kept := documents.BeforePath(nonce, path)
		backups = append(backups, documents.Copy{Path: kept, Source: path})
		ch.Restores = append(ch.Restores, documents.Copy{Path: path, Source: kept})
	}
	return backups, nil
}

// leavingFor lists the files that leave the site with a change and stay served for a while. They are kept for a rollback
// now: afterwards nothing tells whose they are.
func leavingFor(r request) []string {
	var all []string
	for _, e := range r.grace {
		if _, there := r.inv.site[e.Path]; there && e.Releases == 1 {
			all = append(all, e.Path)
		}
	}
	return all
}

// knownBefore returns a function that tells an object's content where it is certain: it
// was just compared or read, or a record vouches for it being the live release's. It returns the beacon of that
// release, too.
func (t *Target) knownBefore(ctx context.Context, r request, touched []string) (known func(bucket.Object) (verified.Content, bool), b *documents.Beacon, err error) {
	was := documents.Entries{}
	if id := r.held.Base(); id != site.None {
		s, err := t.docs.ReadSnapshot(ctx, id)
		if err == nil {
			was, err = t.docs.ReadEntries(ctx, s)
		}
		if err == nil && s.Beacon != nil {
			b = s.Beacon
			was[b.Path] = t.beaconEntry(b)
		}
		if err != nil {
			t.log.Warn("the live release's document is not readable; its content is copied before it is replaced", "err", err)
			was, b = documents.Entries{}, nil
		}
	}
	_, recorded := t.docs.LoadRecords(ctx, r.held.RecordPaths())
	read, err := t.readTouched(ctx, r, touched, was, recorded)
	return func(o bucket.Object) (verified.Content, bool) {
		if c, ok := r.known[o.Path]; ok {
			return c, true
		}
		if c, ok := read[o.Path]; ok {
			return c, true
		}
		if c, ok := t.verified.Recall(o); ok {
			return c, true
		}
		e, ok := was[o.Path]
		if ok && !t.verified.Has(o, e.Content) {
			_, ok = recorded.Vouches(o, e.Content)
		}
		return e.Content, ok
	}, b, err
}

// readTouched reads the objects that may be the live release's and that nothing vouches for, as shortly after they
// were written: what is certain of them stays staged as a part of that release.
func (t *Target) readTouched(ctx context.Context, r request, touched []string, was documents.Entries, recorded verified.FactSet) (map[string]verified.Content, error) {
	var list []bucket.Object
	for _, path := range touched {
		o, there := r.inv.site[path]
		e, ours := was[path]
		if _, known := r.known[path]; known || !there || !ours || e.Size != o.Size {
			continue
		}
		if _, ok := recorded.Vouches(o, e.Content); !ok && !t.verified.Has(o, e.Content) {
			list = append(list, o)
		}
	}
	read, err := t.hashAll(ctx, list)
	maps.DeleteFunc(read, func(_ string, c verified.Content) bool { return c == verified.Content{} })
	return read, err
}

// inherit carries over how to undo a commit that was left half done: what it replaced is
// what a rollback of this change brings back.
func (t *Target) inherit(ctx context.Context, ch *documents.Change, h documents.StateDocument) error {
	if h.None() || h.Phase != documents.PhaseCommitting {
		return nil
	}
	torn, err := t.docs.ReadChange(ctx, h.Change)
	if err != nil {
		return err
	}
	settled := map[string]bool{}
	for _, c := range torn.Restores {
		settled[c.Path] = true
	}
	added := slices.Concat(torn.Added, torn.Fill)
	for _, path := range added {
		settled[path] = true
	}
	ch.Restores = slices.DeleteFunc(ch.Restores, func(c documents.Copy) bool { return settled[c.Path] })
	ch.Added = slices.DeleteFunc(ch.Added, func(path string) bool { return settled[path] })
	ch.Restores, ch.Added = append(ch.Restores, torn.Restores...), append(ch.Added, added...)
	ch.Origin, ch.Before = torn.Origin, torn.Before
	inheritACLs(ch, torn)
	return nil
}
