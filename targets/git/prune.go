package git

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Prune deletes the refs of staged releases that r lets expire. What was live is told by the
// branch. The host frees the objects in its own time.
func (t *Target) Prune(ctx context.Context, r targets.Retention) (err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	staged := stagedRefs(s)
	if len(staged) <= r.Places() {
		return nil
	}
	known, err := t.lineage(ctx, s.Refs[t.branch], staged)
	if err != nil {
		return err
	}
	expired := r.Expired(known.held(staged), known.lived())
	var drop []*packp.Command
	for ref, hash := range s.Refs {
		id, ours := stagedID(ref)
		if ours && hash != known.head && slices.Contains(expired, id) {
			drop = append(drop, &packp.Command{Name: ref, Old: hash})
		}
	}
	if len(drop) == 0 {
		return nil
	}
	if !s.Caps.Supports(capability.DeleteRefs) {
		return errors.New("the server lets no refs be deleted")
	}
	return s.Push(ctx, nil, nil, drop...)
}

// lineage is the branch's past and what is staged, as far as the commits are known.
type lineage struct {
	head    plumbing.Hash
	commits map[plumbing.Hash]objects.Commit
}

// lineage looks the commits up here, and fetches them where that does not tell the place of
// all that is staged.
func (t *Target) lineage(ctx context.Context, head plumbing.Hash, staged map[site.ID]plumbing.Hash) (*lineage, error) {
	l := &lineage{head: head, commits: map[plumbing.Hash]objects.Commit{}}
	wants := []plumbing.Hash{head}
	for _, hash := range staged {
		wants = append(wants, hash)
	}
	for _, hash := range wants {
		if c, ok := t.known.FindCommit(hash); ok {
			l.commits[hash] = c
		}
	}
	lived := l.lived()
	for id := range staged {
		if !slices.Contains(lived, id) {
			return l, t.fetchLineage(ctx, l, wants)
		}
	}
	return l, nil
}

// fetchLineage fetches the commits without their trees, or where the server cannot leave
// those out no more than is staged.
func (t *Target) fetchLineage(ctx context.Context, l *lineage, wants []plumbing.Hash) error {
	s, err := t.open(ctx, wire.UploadPack)
	if err != nil {
		return err
	}
	defer s.Close()
	shown := map[plumbing.Hash]bool{}
	for _, hash := range s.Refs {
		shown[hash] = !hash.IsZero()
	}
	w := wire.Wish{Depth: 1, Filter: packp.FilterTreeDepth(0)}
	filters := s.Caps.Supports(capability.Filter)
	if filters {
		w.Depth = maxPast
	}
	for _, hash := range wants {
		_, known := l.commits[hash]
		if shown[hash] && (filters || !known) && !slices.Contains(w.Wants, hash) && len(w.Wants) < maxPast {
			w.Wants = append(w.Wants, hash)
		}
	}
	if len(w.Wants) == 0 {
		return nil
	}
	got, err := t.fetchWithin(ctx, s, w)
	if err != nil {
		return err
	}
	defer got.Close()
	for _, want := range w.Wants {
		for _, c := range line(got, []plumbing.Hash{want}, w.Depth) {
			l.commits[c.Hash] = c
		}
	}
	return nil
}

// lived lists the releases that the branch was at, the latest first.
func (l *lineage) lived() []site.ID {
	var all []site.ID
	seen := map[plumbing.Hash]bool{}
	for next := l.head; !seen[next]; {
		seen[next] = true
		c, ok := l.commits[next]
		if !ok {
			break
		}
		if _, known := l.commits[c.Restores]; known { // what was undone counts as never live
			next = c.Restores
			continue
		}
		if c.Release != site.None {
			all = append(all, c.Release)
		}
		next = c.After // where the history is shortened, the parent is a copy of it
		if _, known := l.commits[next]; !known && len(c.Parents) > 0 {
			next = c.Parents[0]
		}
	}
	return all
}

// held tells how long ago each release was staged, by the clock of who staged it. One that
// follows the branch's head may go live at any time, and counts as staged just now.
func (l *lineage) held(staged map[site.ID]plumbing.Hash) []targets.Held {
	var all []targets.Held
	for id, hash := range staged {
		h := targets.Held{Release: id}
		c, known := l.commits[hash]
		if known && c.After != l.head && !slices.Contains(c.Parents, l.head) {
			h.Age = time.Since(c.When)
		}
		all = append(all, h)
	}
	return all
}
