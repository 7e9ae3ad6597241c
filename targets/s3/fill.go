package s3

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// mayFill reports whether a Stage may put the content of a release in place at once: nothing is there, the
// service tells two publishers apart, no other publisher holds the place or has filled it, and the release was not
// staged unseen.
func (t *Target) mayFill(ctx context.Context, h documents.StateDocument, inv inventory, rel *site.Release) (bool, error) {
	if !h.None() || len(inv.site) > 0 || h.Reserved != nil && !t.mayTake(h) || h.Fill != "" && (inv.fill == nil || inv.fill.change.To != rel.ID()) {
		return false, nil
	}
	if _, staged := inv.own[documents.ReleasePath(rel.ID())]; staged && h.Fill == "" {
		return false, nil
	}
	return t.docs.Conditional(ctx)
}

// fillBeside lists the files that a Stage puts in place beside a live release: none where the service does not tell two
// publishers apart, or where another publisher holds the place or has filled it.
func (t *Target) fillBeside(ctx context.Context, rel *site.Release, want documents.Entries, h documents.StateDocument, inv inventory, c comparison) ([]string, error) {
	if h.None() || h.Phase != documents.PhaseLive || h.Reserved != nil && !t.mayTake(h) || h.Fill != "" && (inv.fill == nil || inv.fill.change.To != rel.ID()) {
		return nil, nil
	}
	live := t.entriesOf(ctx, h.Release)
	if live == nil {
		return nil, nil // what it asks for is not known
	}
	all := fillable(rel, live, want, inv, c)
	if len(all) == 0 {
		return nil, nil
	}
	if tells, err := t.docs.ConditionalAt(ctx, h); err != nil || !tells {
		return nil, err
	}
	return all, nil
}

// notInPlace are the files at some paths that no earlier Stage has put there.
func (t *Target) notInPlace(rel *site.Release, want documents.Entries, inv inventory, paths []string) []site.File {
	var left []site.File
	for _, path := range paths {
		if f, ok := rel.Manifest.Find(path); ok && !t.isInPlace(inv, want[path]) {
			left = append(left, f)
		}
	}
	return left
}

// fillEmpty stages a release where nothing is live: all content but the home page goes to its path at once, and
// not to .mirror/objects.
func (t *Target) fillEmpty(ctx context.Context, rel *site.Release, want documents.Entries, h documents.StateDocument, inv inventory, p targets.Progress) error {
	ch, left, err := t.fillChange(ctx, rel, want, h, inv)
	if err != nil {
		return err
	}
	if p != nil {
		p.Expect(len(left), bytesOf(left))
	}
	return t.putInPlace(ctx, rel, want, h, inv, &staged{change: ch}, left, p)
}

// putInPlace sends files to their paths. Before, the state document names the change, which lists them, and the
// publisher, so that a publisher that commits another release knows what to delete.
func (t *Target) putInPlace(ctx context.Context, rel *site.Release, want documents.Entries, h documents.StateDocument, inv inventory, st *staged, left []site.File, p targets.Progress) error {
	began := time.Now()
	was, holder := h, documents.NewNonce()
	h, err := t.docs.WriteState(ctx, h, h.WithFill(st.change.Path, &documents.Reservation{To: rel.ID(), Owner: t.owner, Holder: holder}))
	if err != nil {
		return err
	}
	t.seen.carry(was, h)
	var made map[string]bucket.Receipt
	h, err = t.underLease(ctx, h, began, func(ctx context.Context) (err error) {
		if made, err = t.fillUnder(ctx, rel, left, want, st.change, p); err != nil {
			return err
		}
		return t.putSums(ctx, rel, "", st.change.ACL(rel.SumsPath()))
	})
	t.rememberFilled(want, made)
	if err != nil || h.None() {
		if h, err = t.endFill(ctx, h, err); err != nil {
			return err
		}
	} else { // the commit follows
		t.filler.Store(holder)
	}
	t.seeFilled(h, inv, st, want, made)
	return nil
}

// seeFilled remembers what is in place now.
func (t *Target) seeFilled(h documents.StateDocument, inv inventory, st *staged, want documents.Entries, made map[string]bucket.Receipt) {
	filled := maps.Clone(inv.filled)
	if filled == nil {
		filled = map[string]bucket.Object{}
	}
	for path, r := range made {
		filled[path] = bucket.Object{Path: path, ETag: r.ETag, Size: want[path].Size, Modified: r.At}
	}
	t.seen.note(h, inventory{site: inv.site, own: inv.own, filled: filled, fill: &filling{st.change, want}})
	st.fresh = append(st.fresh, receipts(want, made)...)
	t.staged.Store(targets.Swap{From: targets.Live(st.change.From), To: st.change.To}, st)
}

// forgoFilled gives the place free where the last Stage has left it reserved for a commit that is not to be.
func (t *Target) forgoFilled(ctx context.Context, h documents.StateDocument) {
	if !t.isFiller(h) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if _, err := t.endFill(ctx, h, nil); err != nil && !isConflict(err) {
		t.log.Warn("the reservation keeps others out until its lease ends", "lease", t.lease, "err", err)
	}
}

// endFill gives the place free. What is in place stays named in the state document.
func (t *Target) endFill(ctx context.Context, h documents.StateDocument, filled error) (documents.StateDocument, error) {
	if filled != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
	}
	free := *h.Reserved
	free.Released = true
	now, err := t.writeOwn(ctx, h, h.WithFill(h.Fill, &free))
	if filled != nil {
		return now, filled
	}
	return now, err
}

// fillChange writes down the release and the change that makes it live, and returns the files that are not in
// place yet.
func (t *Target) fillChange(ctx context.Context, rel *site.Release, want documents.Entries, h documents.StateDocument, inv inventory) (*documents.Change, []site.File, error) {
	var left []site.File
	for _, f := range rel.Manifest {
		if f.Path != homePage && !t.isInPlace(inv, want[f.Path]) {
			left = append(left, f)
		}
	}
	b := beaconOf(rel)
	if err := t.docs.WriteSnapshot(ctx, h.Base(), rel.ID(), want, b); err != nil {
		return nil, nil, err
	}
	swap := targets.Swap{To: rel.ID()}
	ch := &documents.Change{Version: documents.Version, To: rel.ID(), Beacon: b}
	for _, f := range rel.Manifest {
		if f.Path != homePage {
			ch.Fill = append(ch.Fill, f.Path)
			continue
		}
		home, err := t.stageHome(ctx, rel, f, want[f.Path])
		if err != nil {
			return nil, nil, err
		}
		ch.Copies, ch.Added = append(ch.Copies, home), append(ch.Added, f.Path)
	}
	if b != nil {
		ch.Added = append(ch.Added, b.Path)
	}
	if err := t.keepACLs(ctx, ch, inv); err != nil {
		return nil, nil, err
	}
	ch.Path = documents.ChangeFolder(swap) + newChangeName()
	return ch, left, t.docs.WriteDocument(ctx, ch.Path, ch)
}

// isInPlace reports whether an earlier Stage has put just this file in place.
func (t *Target) isInPlace(inv inventory, e documents.Entry) bool {
	o, there := inv.filled[e.Path]
	return there && o.Size == e.Size && inv.fill.entries[e.Path] == e && t.verified.Has(o, e.Content)
}

func bytesOf(files []site.File) (bytes int64) {
	for _, f := range files {
		bytes += f.Size
	}
	return bytes
}

// stageHome stages the home page, which goes live with the commit.
func (t *Target) stageHome(ctx context.Context, rel *site.Release, f site.File, e documents.Entry) (documents.Copy, error) {
	c := documents.Copy{Path: f.Path, Source: documents.ObjectPath(f.Digest), Headers: &e.Headers}
	if f.Size <= maxText {
		data, err := rel.ReadFile(f)
		if err != nil {
			return c, err
		}
		if text := string(data); utf8.ValidString(text) {
			c.Source, c.Text = "", &text
			return c, nil
		}
	}
	_, err := t.bucket.PutFile(ctx, c.Source, rel, f, bucket.Attributes{Headers: &bucket.Staged})
	return c, err
}

// fillUnder sends files to their paths, and returns what the service said of those that it stored.
func (t *Target) fillUnder(ctx context.Context, rel *site.Release, left []site.File, want documents.Entries, ch *documents.Change, p targets.Progress) (map[string]bucket.Receipt, error) {
	var mu sync.Mutex
	made := make(map[string]bucket.Receipt, len(left))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(t.bucket.Limit)
	for _, f := range left {
		g.Go(func() error {
			if err := gctx.Err(); err != nil {
				return err
			}
			r, err := t.fillOne(gctx, rel, f, want[f.Path].Headers, ch)
			if err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
			mu.Lock()
			made[f.Path] = r
			mu.Unlock()
			if p != nil {
				p.Sent(1, f.Size)
			}
			return nil
		})
	}
	return made, g.Wait()
}

func (t *Target) fillOne(ctx context.Context, rel *site.Release, f site.File, h bucket.Headers, ch *documents.Change) (bucket.Receipt, error) {
	return t.bucket.PutFile(ctx, f.Path, rel, f, bucket.Attributes{Headers: &h, ACL: ch.ACL(f.Path), Demanded: t.acl != "", Class: t.class})
}

// rememberFilled has what the service confirmed not be read again by a Stage that goes on later.
func (t *Target) rememberFilled(want documents.Entries, made map[string]bucket.Receipt) {
	for _, f := range receipts(want, made) {
		t.verified.Note(f)
	}
	if err := t.verified.Save(); err != nil {
		t.log.Warn("the record of what was sent could not be saved; it may be sent again", "err", err)
	}
}

// Prefilled lists the paths that Stage has put in place for a swap already.
func (t *Target) Prefilled(s targets.Swap) []string {
	v, _ := t.staged.Load(s)
	if st, ok := v.(*staged); ok {
		return st.change.Fill
	}
	return nil
}
