package git

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/bases"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Stage pushes a commit of the release to refs/mirror/<release>. Only objects that the
// live branch lacks travel; nothing does if the release is staged already on top of it.
func (t *Target) Stage(ctx context.Context, rel *site.Release, p targets.Progress) (err error) {
	defer t.redact(&err)
	if err := t.refuse(rel); err != nil {
		return err
	}
	ids, err := t.blobs.of(ctx, rel)
	if err != nil {
		return err
	}
	for range stageTries {
		if err = t.stage(ctx, rel, ids, p); !errors.Is(err, errAgain) {
			return err
		}
	}
	return fmt.Errorf("stage %s: %w", rel.ID().Short(), err)
}

// stageTries bounds how often another publisher's stage of the same release, or a
// server's dislike of thin packs, is answered by another try.
const stageTries = 4

var errAgain = errors.New("the remote has changed meanwhile")

func (t *Target) stage(ctx context.Context, rel *site.Release, ids map[site.Digest]plumbing.Hash, p targets.Progress) error {
	s, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	live, err := t.snapshot(ctx, nil, s.Refs[t.branch])
	if err != nil {
		return err
	}
	want, err := t.compose(ctx, rel, ids, live)
	if err != nil {
		return err
	}
	ref, hash := t.staged(s, rel.ID())
	before, err := t.commit(ctx, nil, hash)
	if err != nil {
		return err
	}
	if before.Tree == want.root() && before.Release == rel.ID() && t.follows(before, live.Commit) {
		return nil
	}
	return t.send(ctx, s, shipment{rel: rel.ID(), ref: ref, before: before, live: live, want: want}, p)
}

// commitOf is the head itself where it is right, and a new commit otherwise, with the commits that the
// remote does not have.
func (t *Target) commitOf(ctx context.Context, sh shipment) (objects.Commit, []objects.Item, error) {
	if sh.live.Release == sh.rel && sh.live.Tree == sh.want.root() {
		return sh.live.Commit, nil, nil
	}
	return t.newCommit(ctx, sh.live.Commit, sh.want.root(), sh.want.said)
}

func (t *Target) send(ctx context.Context, s *wire.Session, sh shipment, p targets.Progress) error {
	c, commits, err := t.commitOf(ctx, sh)
	if err != nil {
		return err
	}
	var items []objects.Item
	files := 0
	if sh.before.Tree != sh.want.root() {
		items, files = sh.want.unknown(t.held(sh), sh.live, t.thin(s))
	}
	pack, err := t.packOf(ctx, append(items, commits...), sh)
	if err != nil {
		return err
	}
	defer pack.Close()
	sent := func(int) {}
	if p != nil {
		p.Expect(files, pack.Size)
		sent = func(n int) { p.Sent(0, int64(n)) }
	}
	if err := t.pushStaged(ctx, s, sh, c.Hash, pack, sent); err != nil {
		return err
	}
	if p != nil {
		p.Sent(files, 0)
	}
	t.known.Add(sh.want.snapshot(c), t.log)
	return nil
}

// packOf makes the pack of a shipment. The contents that it has, and those that stay live, are kept, so
// that the next change is sent as deltas.
func (t *Target) packOf(ctx context.Context, items []objects.Item, sh shipment) (*objects.Pack, error) {
	at := bases.Open(t.state)
	pack, err := objects.NewThinPack(ctx, items, at)
	wanted := sh.want.snapshot(objects.Commit{}).Names()
	maps.Copy(wanted, sh.live.Names())
	if kept := at.Close(wanted); kept != nil {
		t.log.Warn("the contents of this release could not be kept; the next change of a file is sent whole", "err", kept)
	}
	return pack, err
}

// held names the objects that the remote has: those of the live branch, and of what was
// staged before, if that is remembered here.
func (t *Target) held(sh shipment) map[plumbing.Hash]bool {
	names := sh.live.Names()
	if sh.before.Hash.IsZero() {
		return names
	}
	if staged := t.known.Snapshot(sh.before.Hash); staged != nil {
		maps.Copy(names, staged.Names())
	}
	return names
}

// pushStaged moves the release's own ref. A host that takes no refs but branches and tags
// gets a branch.
func (t *Target) pushStaged(ctx context.Context, s *wire.Session, sh shipment, to plumbing.Hash, pack *objects.Pack, sent func(int)) error {
	ref := sh.ref
	if ref == "" {
		ref = stageRefs(sh.rel)[0]
	}
	err := s.Push(ctx, pack, sent, &packp.Command{Name: ref, Old: sh.before.Hash, New: to})
	var refused *wire.RejectedError
	if !errors.As(err, &refused) {
		return err
	}
	explained, content := sh.refusal(refused)
	if content {
		return explained
	}
	if refused.Unpack != "" {
		if t.thin(s) { // some servers promise thin packs and cannot complete them
			t.whole.Store(true)
			return fmt.Errorf("%w: %w", errAgain, err)
		}
		return err
	}
	return t.pushFallback(ctx, sh, to, pack, sent, explained)
}

func (t *Target) pushFallback(ctx context.Context, sh shipment, to plumbing.Hash, pack *objects.Pack, sent func(int), refused error) error {
	s, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return errors.Join(refused, err)
	}
	defer s.Close()
	if _, now := t.staged(s, sh.rel); now != sh.before.Hash {
		return fmt.Errorf("%w: %w", errAgain, refused)
	}
	branch := stageRefs(sh.rel)[1]
	if sh.ref == branch {
		return refused
	}
	if err := s.Push(ctx, pack, sent, &packp.Command{Name: branch, New: to}); err != nil {
		if again, ok := errors.AsType[*wire.RejectedError](err); ok {
			err, _ = sh.refusal(again)
		}
		return joined(refused, err)
	}
	return nil
}
