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
// service tells two publishers apart, and no other publisher holds the place or has filled it.
func (t *Target) mayFill(ctx context.Context, h documents.StateDocument, inv inventory, rel *site.Release) (bool, error) {
	if !h.None() || len(inv.site) > 0 || h.Reserved != nil && !t.mayTake(h) || h.Fill != "" && (inv.fill == nil || inv.fill.change.To != rel.ID()) {
		return false, nil
	}
	return t.docs.Conditional(ctx)
}

// fill stages a release where nothing is live: all content but the home page goes to its path at once, and
// not to .mirror/objects. Before, the state document names the paths and the publisher, so that a
// publisher that commits another release knows what to delete.
func (t *Target) fill(ctx context.Context, rel *site.Release, want documents.Entries, h documents.StateDocument, inv inventory, p targets.Progress) error {
	ch, left, err := t.fillChange(ctx, rel, want, h, inv)
	if err != nil {
		return err
	}
	began := time.Now()
	was := h
	h, err = t.docs.WriteState(ctx, h, h.WithFill(ch.Path, &documents.Reservation{To: rel.ID(), Owner: t.owner, Holder: documents.NewNonce()}))
	if err != nil {
		return err
	}
	t.seen.carry(was, h)
	var made map[string]bucket.Receipt
	h, err = t.underLease(ctx, h, began, func(ctx context.Context) (err error) {
		made, err = t.fillUnder(ctx, rel, left, want, ch, p)
		return err
	})
	t.rememberFilled(want, made)
	if h, err = t.endFill(ctx, h, err); err != nil {
		return err
	}
	t.seeFilled(h, inv, ch, want, made)
	return nil
}

// seeFilled remembers what is in place now.
func (t *Target) seeFilled(h documents.StateDocument, inv inventory, ch *documents.Change, want documents.Entries, made map[string]bucket.Receipt) {
	filled := maps.Clone(inv.filled)
	if filled == nil {
		filled = map[string]bucket.Object{}
	}
	for path, r := range made {
		filled[path] = bucket.Object{Path: path, ETag: r.ETag, Size: want[path].Size, Modified: r.At}
	}
	t.seen.note(h, inventory{site: inv.site, own: inv.own, filled: filled, fill: &filling{ch, want}})
	t.staged.Store(targets.Swap{To: ch.To}, &staged{change: ch, fresh: receipts(want, made)})
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
	inPlace := func(f site.File) bool {
		o, there := inv.filled[f.Path]
		return there && o.Size == f.Size && inv.fill.entries[f.Path] == want[f.Path] && t.verified.Has(o, want[f.Path].Content)
	}
	var left []site.File
	for _, f := range rel.Manifest {
		if f.Path != homePage && !inPlace(f) {
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
	if p != nil {
		bytes := int64(0)
		for _, f := range left {
			bytes += f.Size
		}
		p.Expect(len(left), bytes)
	}
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
		t.log.Warn("what was sent is not remembered", "err", err)
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
