package workspace

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/history"
	"mirror/site"
	"mirror/targets"
)

// targetSet asks all targets at once what they store, beside what their origins serve.
type targetSet struct {
	dests []targets.Destination

	mu    sync.Mutex // guards notes
	notes []string   // what could not be asked: the verdict says so
}

func (s *targetSet) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
}

// pastLimit is how many releases a target is asked for.
const pastLimit = 20

// askTimeout bounds how long the targets may take to say what they store, or held.
const askTimeout = time.Minute

// targetSet opens the targets. One that cannot be opened is told of, and asked nothing.
func (w *Workspace) targetSet(ctx context.Context) *targetSet {
	dests, err := w.Destinations(ctx)
	s := &targetSet{dests: dests}
	if err != nil {
		s.note(fmt.Sprintf("%v; what is stored there is not asked for, so extra pages may go unseen", err))
	}
	return s
}

// each asks all targets at once.
func (s *targetSet) each(ctx context.Context, ask func(ctx context.Context, i int, dest targets.Destination) error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var all sync.WaitGroup
	for i, dest := range s.dests {
		all.Go(func() {
			if err := ask(ctx, i, dest); err != nil {
				s.note(fmt.Sprintf("%s cannot be asked what it stores, so extra pages may go unseen: %v", dest.Name, err))
			}
		})
	}
	all.Wait()
}

// extra lists the files that targets hold and the release has not. Of a release of which only
// the manifest is known a target cannot make a plan: then it is what they held, that included.
func (s *targetSet) extra(ctx context.Context, rel *site.Release) []string {
	if !rel.Readable() {
		return s.removed(ctx, rel.Manifest)
	}
	found := make([][]string, len(s.dests))
	s.each(ctx, func(ctx context.Context, i int, dest targets.Destination) error {
		plan, err := dest.Plan(ctx, rel)
		found[i] = plan.Changes.Delete
		return err
	})
	return slices.Concat(found...)
}

// removed lists paths that the targets held before and m has not: what no history here knows.
func (s *targetSet) removed(ctx context.Context, m site.Manifest) []string {
	var gone []string
	for _, p := range s.past(ctx, nil) {
		for _, f := range p.Manifest {
			if _, ok := m.Find(f.Path); !ok {
				gone = append(gone, f.Path)
			}
		}
	}
	return gone
}

// past lists what the targets held before, as one sequence.
func (s *targetSet) past(ctx context.Context, of []string) []site.Past {
	found := make([][]site.Past, len(s.dests))
	s.each(ctx, func(ctx context.Context, i int, dest targets.Destination) (err error) {
		if h, ok := dest.Target.(targets.Historian); ok {
			found[i], err = h.Past(ctx, pastLimit, of)
		}
		return err
	})
	var all []site.Past
	for _, past := range found {
		all = diff.Sequence(all, past)
	}
	return all
}

// most returns the release that most targets hold, the first of those that equally many do.
func (s *targetSet) most(ctx context.Context) (site.Past, bool) {
	held := make([]site.ID, len(s.dests))
	s.each(ctx, func(ctx context.Context, i int, dest targets.Destination) error {
		live, err := dest.Live(ctx)
		held[i] = live.Release
		return err
	})
	count, most := map[site.ID]int{}, site.None
	for _, id := range held {
		count[id]++
	}
	delete(count, site.None)
	for _, id := range held {
		if count[id] > count[most] {
			most = id
		}
	}
	if most == site.None {
		return site.Past{}, false
	}
	m, ok := s.manifest(ctx, most)
	return site.Past{Release: most, Manifest: m}, ok
}

// manifest returns the manifest of the release that a target holds now, from its own records
// where they are whole, else from the bytes that it stores.
func (s *targetSet) manifest(ctx context.Context, id site.ID) (site.Manifest, bool) {
	found := make([]site.Manifest, len(s.dests))
	s.each(ctx, func(ctx context.Context, i int, dest targets.Destination) error {
		if live, err := dest.Live(ctx); err != nil || live.Release != id {
			return err
		}
		if h, ok := dest.Target.(targets.Historian); ok {
			if past, err := h.Past(ctx, 1, nil); err == nil && len(past) > 0 && past[0].Manifest.ID() == id {
				found[i] = past[0].Manifest
				return nil
			}
		}
		m, err := dest.ReadBack(ctx)
		if err == nil && m.ID() == id {
			found[i] = m
		}
		return err
	})
	i := slices.IndexFunc(found, func(m site.Manifest) bool { return m != nil })
	if i < 0 {
		return nil, false
	}
	return found[i], true
}

// remembered returns what the history here holds at the given paths.
func (w *Workspace) remembered() check.PastFunc {
	return func(ctx context.Context, of []string) (past []site.Past) {
		err := w.remember(ctx, func(h *history.Store) (err error) {
			past, err = h.Versions(ctx, of)
			return err
		})
		if err != nil {
			w.options.Warnings.Add("what is stale is not named by the history here: %v", err)
		}
		return past
	}
}

// whole returns the manifest of a release, from the history or from the targets.
func (w *Workspace) whole(s *targetSet) func(ctx context.Context, id site.ID) (site.Manifest, bool) {
	return func(ctx context.Context, id site.ID) (m site.Manifest, ok bool) {
		err := w.remember(ctx, func(h *history.Store) error {
			p, known, err := h.Release(ctx, id)
			m, ok = p.Manifest, known
			return err
		})
		if err == nil && ok {
			return m, true
		}
		return s.manifest(ctx, id)
	}
}
