package git

import (
	"context"
	"maps"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/site"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// commitAfresh makes the staged tree the next commit after head, and the branch that. What
// is kept of the branch is taken from head, which may have got a CNAME meanwhile.
func (t *Target) commitAfresh(ctx context.Context, s *wire.Session, ref plumbing.ReferenceName, staged, head objects.Commit, others []*packp.Command) error {
	old, err := t.snapshot(ctx, nil, staged.Hash)
	if err != nil {
		return err
	}
	live, err := t.snapshot(ctx, nil, head.Hash)
	if err != nil {
		return err
	}
	want := &layout{
		files: maps.Clone(old.Files), blobs: map[plumbing.Hash]objects.Item{},
		said: objects.Trailers{
			Release: staged.Release, Beacon: staged.Beacon, Own: ownOfStaged(staged, old, t.keep), Sequence: staged.Sequence,
			Purged: live.Purged.Without(staged.Release),
		},
	}
	sums := site.SumsPath(staged.Release)
	maps.DeleteFunc(want.files, func(path string, _ objects.Entry) bool {
		return path != staged.Beacon && path != sums && staged.Beside(path)
	})
	t.addKept(live, want)
	if err := want.build(); err != nil {
		return err
	}
	have := old.Names()
	maps.Copy(have, live.Names())
	items, _ := want.unknown(have, live, t.thin(s))
	next, commits, err := t.newCommit(ctx, head, want.root(), want.said)
	if err != nil {
		return err
	}
	items = append(items, commits...)
	restage := &packp.Command{Name: ref, Old: staged.Hash, New: next.Hash}
	if err := t.move(ctx, s, head.Hash, next.Hash, items, append(others, restage)...); err != nil {
		return err
	}
	t.known.Add(want.snapshot(next), t.log)
	return nil
}
