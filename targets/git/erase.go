package git

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Erase replaces the branch by one commit without parents that has the live release and not the files, and deletes
// the refs of all that is staged. The host frees the objects in its own time.
func (t *Target) Erase(ctx context.Context, e targets.Erasure) (left []string, err error) {
	defer t.redact(&err)
	if err := t.erase(ctx, e); err != nil {
		if refused := (*wire.RejectedError)(nil); errors.As(err, &refused) {
			err = fmt.Errorf("%w (hint: the history of the branch has the files; let the branch be force-pushed once, and purge again)", err)
		}
		return nil, err
	}
	return []string{
		"what the git host keeps: objects that no branch has, until it collects them, its caches, pull requests and forks (ask its support)",
		"clones and pulls that others have made, and folders of state on other machines that publish to it",
	}, nil
}

func (t *Target) erase(ctx context.Context, e targets.Erasure) error {
	s, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	live, err := t.snapshot(ctx, nil, s.Refs[t.branch])
	if err != nil {
		return err
	}
	if live.Release != e.Live.ID() {
		return conflict(live.Commit, liveOf(live.Commit))
	}
	blobs, releases, err := t.erasedBlobs(ctx, e, live)
	if err != nil {
		return err
	}
	want := &layout{files: maps.Clone(live.Files), blobs: map[plumbing.Hash]objects.Item{}, said: live.Trailers}
	want.said.After = plumbing.ZeroHash
	want.said.Purged = live.Purged.With(releases, time.Now())
	maps.DeleteFunc(want.files, func(path string, f objects.Entry) bool {
		_, own := e.Live.Manifest.Find(path)
		return !own && path != live.Beacon && (slices.Contains(e.Paths, path) || blobs[f.Blob])
	})
	want.said.Grace = live.Grace.Without(func(path string) bool { _, there := want.files[path]; return !there })
	if err := want.build(); err != nil {
		return err
	}
	var drop []*packp.Command
	for ref, hash := range s.Refs {
		if _, ours := stagedID(ref); ours {
			drop = append(drop, &packp.Command{Name: ref, Old: hash})
		}
	}
	if len(live.Parents) == 0 && live.After.IsZero() && want.root() == live.Tree {
		return t.dropRefs(ctx, s, drop)
	}
	next, err := t.signed(ctx, objects.NewCommit(t.author, time.Now(), want.root(), plumbing.ZeroHash, want.said))
	if err != nil {
		return err
	}
	items, _ := want.unknown(live.Names(), live, t.thin(s))
	items = append(items, objects.Content(plumbing.CommitObject, next.Raw))
	if err := t.move(ctx, s, live.Hash, next.Hash, items, drop...); err != nil {
		return err
	}
	t.known.Add(want.snapshot(next), t.log)
	return nil
}

func (*Target) dropRefs(ctx context.Context, s *wire.Session, drop []*packp.Command) error {
	if len(drop) == 0 {
		return nil
	}
	return s.Push(ctx, nil, nil, drop...)
}

// erasedBlobs names the contents that the paths had in the commits that can be fetched, without those that the live release has,
// and the earlier releases of these commits.
func (t *Target) erasedBlobs(ctx context.Context, e targets.Erasure, live *objects.Snapshot) (blobs map[plumbing.Hash]bool, releases []site.ID, err error) {
	s, err := t.open(ctx, wire.UploadPack)
	if err != nil {
		return nil, nil, err
	}
	defer s.Close()
	wants := []plumbing.Hash{live.Hash}
	for _, hash := range stagedRefs(s) {
		if !slices.Contains(wants, hash) && len(wants) < maxPast {
			wants = append(wants, hash)
		}
	}
	store, err := t.fetchWithin(ctx, s, wire.Wish{Wants: wants, Depth: maxPast, Filter: packp.FilterBlobNone()})
	if err != nil {
		return nil, nil, err
	}
	defer store.Close()
	blobs = map[plumbing.Hash]bool{}
	for _, want := range wants {
		for _, c := range line(store, []plumbing.Hash{want}, maxPast) {
			if (want == live.Hash || t.last > 0) && c.Release != site.None && c.Release != e.Live.ID() {
				releases = append(releases, c.Release)
			}
			snap, err := store.Snapshot(c.Hash)
			if err != nil {
				continue // further back than was fetched
			}
			for _, path := range e.Paths {
				if f, there := snap.Files[path]; there {
					blobs[f.Blob] = true
				}
			}
		}
	}
	for path, f := range live.Files {
		if _, own := e.Live.Manifest.Find(path); own {
			delete(blobs, f.Blob)
		}
	}
	return blobs, releases, ctx.Err()
}
