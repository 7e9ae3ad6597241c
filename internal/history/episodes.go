package history

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"mirror/diff"
	"mirror/site"
)

// What is kept of an episode. While it lasts more of its paths are known, so that a check
// which could not judge some pages can tell whether they were of it.
const (
	keepPaths     = 20
	keepOpenPaths = 1000
	maxDetail     = 1000    // bytes
	maxExcerpt    = 4 << 10 // bytes
)

// turnEpisodes brings the episodes of one origin up to what a check saw of it.
func turnEpisodes(ctx context.Context, tx *sql.Tx, v view, row origin, changes *Changes) error {
	open, err := readEpisodes(ctx, tx, "WHERE origin = ? AND closed = 0", v.origin)
	if err != nil {
		return err
	}
	lasting := map[diff.Kind]bool{}
	for _, e := range open {
		lasting[e.Kind] = true
		if err := turnEpisode(ctx, tx, v, e, changes); err != nil {
			return err
		}
	}
	for _, kind := range diff.Kinds() {
		if v.kinds[kind] == nil || lasting[kind] {
			continue
		}
		opened, err := openEpisode(ctx, tx, v, kind, row)
		if err != nil {
			return err
		}
		changes.Opened = append(changes.Opened, opened.shown())
	}
	return nil
}

// turnEpisode continues or ends an episode, or leaves it as it is where nothing was seen.
func turnEpisode(ctx context.Context, tx *sql.Tx, v view, e storedEpisode, changes *Changes) error {
	if d := v.kinds[e.Kind]; d != nil {
		changed := e.see(d)
		e.LastSeen = later(d.asked, e.LastSeen) // whatever the clock does
		if changed {
			changes.Changed = append(changes.Changed, e.shown())
		}
		return e.update(ctx, tx, changed)
	}
	complete := len(e.Paths) == e.Pages
	if !v.without(e.Kind, e.Paths, complete) {
		return nil
	}
	e.Closed = later(later(v.gone(e.Paths, complete), e.LastSeen), e.Opened)
	e.Paths = e.Paths[:min(len(e.Paths), keepPaths)]
	changes.Closed = append(changes.Closed, e.shown())
	return e.update(ctx, tx, true)
}

// openEpisode adds one. It began after its pages were asked for when they were judged last.
func openEpisode(ctx context.Context, tx *sql.Tx, v view, kind diff.Kind, row origin) (e storedEpisode, err error) {
	d := v.kinds[kind]
	e.Episode = Episode{Origin: v.origin, Kind: kind, LastGood: askedFor(row.looks, d.paths)}
	e.Opened = later(d.answered, e.LastGood)
	e.LastSeen = later(d.asked, e.LastGood)
	e.see(d)
	e.ID, err = insert(ctx, tx, `INSERT INTO episode (origin, kind, last_good, opened, last_seen, closed, pages, most, paths, signature, release, detail, excerpt, url)
		VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?)`, e.Origin, e.Kind, nanos(e.LastGood), nanos(e.Opened), nanos(e.LastSeen),
		e.Pages, e.MostPages, packPaths(e.Paths), e.signature[:], e.Release, e.Detail, e.Excerpt, e.URL)
	return e, err
}

// storedEpisode is an episode with more of its paths, and what stands for all of them.
type storedEpisode struct {
	Episode
	signature site.Digest
}

// see takes what a check saw into the episode, and reports whether other pages differ than
// before.
func (e *storedEpisode) see(d *drift) (changed bool) {
	changed = e.signature != d.signature || e.Pages != d.pages
	e.signature, e.Pages, e.MostPages = d.signature, d.pages, max(e.MostPages, d.pages)
	e.Paths = d.paths[:min(len(d.paths), keepOpenPaths)]
	e.Release = site.ID(bounded(string(d.first.Release), maxDetail))
	e.Detail, e.URL = bounded(d.first.Detail, maxDetail), bounded(d.first.URL, maxDetail)
	if changed || d.excerpt != "" {
		e.Excerpt = bounded(d.excerpt, maxExcerpt)
	}
	return changed
}

// shown is the episode with as many paths as others get to see.
func (e storedEpisode) shown() Episode {
	e.Paths = e.Paths[:min(len(e.Paths), keepPaths)]
	return e.Episode
}

// update writes the episode; its paths only where they changed.
func (e storedEpisode) update(ctx context.Context, tx *sql.Tx, paths bool) error {
	_, err := tx.ExecContext(ctx, `UPDATE episode SET last_seen = ?, closed = ?, pages = ?, most = ?, signature = ?, release = ?, detail = ?, excerpt = ?, url = ?
		WHERE id = ?`, nanos(e.LastSeen), nanos(e.Closed), e.Pages, e.MostPages, e.signature[:], e.Release, e.Detail, e.Excerpt, e.URL, e.ID)
	if err != nil || !paths {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE episode SET paths = ? WHERE id = ?", packPaths(e.Paths), e.ID)
	return err
}

// packPaths joins paths by NUL, which no path can contain.
func packPaths(paths []string) []byte { return []byte(strings.Join(paths, "\x00")) }

// Episode is a time for which an origin drifted in one way: it has one row, however many
// checks saw it.
type Episode struct {
	ID     int64
	Origin string
	Kind   diff.Kind // unreachable also where the whole origin could not be seen
	// It began after LastGood and by Opened: the begin of the request that did not show it yet (zero
	// where there is none), and the end of the first answer that did. It ended after LastSeen and by
	// Closed: the begin of the last request that showed it, and the end of the answer with which it
	// was gone from all of its pages (zero while it lasts). Where one answer alone showed it,
	// LastSeen is before Opened.
	LastGood, Opened, LastSeen, Closed time.Time
	Pages                              int      // that differ, as last seen
	MostPages                          int      // at any time
	Paths                              []string // the first of them
	Release                            site.ID  // that the bytes are of, where one is known
	Detail                             string   // for people
	Excerpt                            string   // how the first page differs, as lines of a unified diff; "" where they were not compared
	URL                                string   // of the first page
}

// Changes is what a check changed about the episodes.
type Changes struct {
	Opened, Changed, Closed []Episode
}

// EpisodeFilter picks episodes.
type EpisodeFilter struct {
	Open   bool      // only those that last
	Since  time.Time // only those that lasted at some time since then
	Origin string    // only those of one origin; "" for all
	Before int64     // only those that opened before the one with this ID; 0 for all
	Limit  int       // the newest so many; 0 for all
}

// Episodes lists episodes, the newest first.
func (s *Store) Episodes(ctx context.Context, f EpisodeFilter) ([]Episode, error) {
	return s.episodes(ctx, `WHERE (closed = 0 OR NOT ?1 AND closed >= ?2) AND (?3 = '' OR origin = ?3) AND (?4 = 0 OR id < ?4)
		ORDER BY id DESC LIMIT ?5`, f.Open, nanos(f.Since), f.Origin, f.Before, limited(f.Limit))
}

// Episode returns one episode, and whether it is there.
func (s *Store) Episode(ctx context.Context, id int64) (Episode, bool, error) {
	return first(s.episodes(ctx, "WHERE id = ?", id))
}

// CloseEpisodes ends the episodes of origins that are no longer configured: those for which name is
// false. No check looks at them any more, so that no check would end them.
func (s *Store) CloseEpisodes(ctx context.Context, at time.Time, name func(origin string) bool) (closed []Episode, err error) {
	open, err := s.Episodes(ctx, EpisodeFilter{Open: true})
	if err != nil {
		return nil, err
	}
	for _, e := range open {
		if name(e.Origin) {
			continue
		}
		e.Closed = later(at, e.LastSeen)
		err := s.change(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE episode SET closed = ? WHERE id = ? AND closed = 0", nanos(e.Closed), e.ID)
			return err
		})
		if err != nil {
			return closed, err
		}
		closed = append(closed, e)
	}
	return closed, nil
}

func (s *Store) episodes(ctx context.Context, where string, args ...any) (all []Episode, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		stored, err := readEpisodes(ctx, tx, where, args...)
		for _, e := range stored {
			all = append(all, e.shown())
		}
		return err
	})
	return all, err
}

func readEpisodes(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]storedEpisode, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, origin, kind, last_good, opened, last_seen, closed, pages, most, paths, signature,
		release, detail, excerpt, url FROM episode `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []storedEpisode
	for rows.Next() {
		var e storedEpisode
		var good, opened, seen, closed int64
		var paths, signature sql.RawBytes
		if err := rows.Scan(&e.ID, &e.Origin, &e.Kind, &good, &opened, &seen, &closed, &e.Pages, &e.MostPages, &paths, &signature,
			&e.Release, &e.Detail, &e.Excerpt, &e.URL); err != nil {
			return nil, err
		}
		if copy(e.signature[:], signature) != len(e.signature) {
			return nil, fmt.Errorf("%w: episode %d has a digest of %d bytes", ErrDamaged, e.ID, len(signature))
		}
		e.LastGood, e.Opened, e.LastSeen, e.Closed = timeOf(good), timeOf(opened), timeOf(seen), timeOf(closed)
		e.Paths = strings.Split(string(paths), "\x00")
		all = append(all, e)
	}
	return all, rows.Err()
}
