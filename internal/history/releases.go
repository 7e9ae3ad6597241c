package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"mirror/site"
)

// Keep is how many releases are remembered. A file that only older ones had is forgotten.
const Keep = 50

// AddRelease remembers that p went live after all that were added before, and forgets the
// oldest of more than Keep. Nothing is added where it is the newest already.
func (s *Store) AddRelease(ctx context.Context, p site.Past) error {
	if p.Release == site.None || p.Manifest.ID() != p.Release {
		return fmt.Errorf("history: the manifest is not that of release %s", p.Release.Short())
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		var newest site.ID
		err := tx.QueryRowContext(ctx, "SELECT id FROM release ORDER BY seq DESC LIMIT 1").Scan(&newest)
		if newest == p.Release || err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		added, err := tx.ExecContext(ctx, "INSERT INTO release (id, published) VALUES (?, ?)", p.Release, nanos(p.Published))
		if err != nil {
			return err
		}
		seq, err := added.LastInsertId()
		if err != nil {
			return err
		}
		if err := turn(ctx, tx, seq, p.Manifest); err != nil {
			return err
		}
		return forget(ctx, tx)
	})
}

// turn ends the rows of files that the release numbered seq has no longer, and begins those
// that are new with it.
func turn(ctx context.Context, tx *sql.Tx, seq int64, m site.Manifest) error {
	gone, fresh, err := differences(ctx, tx, m)
	if err != nil {
		return err
	}
	end, err := tx.PrepareContext(ctx, "UPDATE file SET died = ? WHERE path = ? AND died IS NULL")
	if err != nil {
		return err
	}
	defer end.Close()
	for _, path := range gone {
		if _, err := end.ExecContext(ctx, seq, path); err != nil {
			return err
		}
	}
	begin, err := tx.PrepareContext(ctx, "INSERT INTO file (path, born, size, digest) VALUES (?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer begin.Close()
	for _, f := range fresh {
		if _, err := begin.ExecContext(ctx, f.Path, seq, f.Size, f.Digest[:]); err != nil {
			return err
		}
	}
	return nil
}

// differences goes through the newest release and m side by side, both in path order.
func differences(ctx context.Context, tx *sql.Tx, m site.Manifest) (gone []string, fresh site.Manifest, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT path, size, digest FROM file WHERE died IS NULL ORDER BY path")
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var path, digest sql.RawBytes
		var size int64
		if err := rows.Scan(&path, &size, &digest); err != nil {
			return nil, nil, err
		}
		for len(m) > 0 && m[0].Path < string(path) {
			fresh, m = append(fresh, m[0]), m[1:]
		}
		if len(m) > 0 && m[0].Path == string(path) {
			if m[0].Size == size && string(m[0].Digest[:]) == string(digest) {
				m = m[1:]
				continue
			}
			fresh, m = append(fresh, m[0]), m[1:]
		}
		gone = append(gone, string(path))
	}
	return gone, append(fresh, m...), rows.Err()
}

// forget drops all but the newest releases, and the files that only others had.
func forget(ctx context.Context, tx *sql.Tx) error {
	var oldest int64
	err := tx.QueryRowContext(ctx, "SELECT seq FROM release ORDER BY seq DESC LIMIT 1 OFFSET ?", Keep-1).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // fewer than that
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM release WHERE seq < ?", oldest); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM file WHERE died <= ?", oldest)
	return err
}

// Past lists the newest releases, the newest first, with all their files; limit bounds how
// many. Digests are there for every path, whatever is asked of: they cost nothing here.
func (s *Store) Past(ctx context.Context, limit int, _ []string) ([]site.Past, error) {
	return s.past(ctx, "SELECT seq, id, published FROM release ORDER BY seq DESC LIMIT ?", limit)
}

// Sequence lists the remembered releases in the order in which they went live, the newest
// first, without their manifests. One that went live again is there again.
func (s *Store) Sequence(ctx context.Context) ([]site.Past, error) {
	var all []site.Past
	err := s.read(ctx, func(tx *sql.Tx) error {
		numbered, err := listReleases(ctx, tx, "SELECT seq, id, published FROM release ORDER BY seq DESC")
		all = past(numbered)
		return err
	})
	return all, err
}

// Versions lists what the remembered releases held at the given paths, the newest first: the
// manifests name no others, and a release that had none of them has an empty one. Of a large
// site that is much less to hold than Past.
func (s *Store) Versions(ctx context.Context, paths []string) ([]site.Past, error) {
	var all []site.Past
	err := s.read(ctx, func(tx *sql.Tx) error {
		numbered, err := listReleases(ctx, tx, "SELECT seq, id, published FROM release ORDER BY seq DESC")
		if err != nil || len(numbered) == 0 {
			return err
		}
		paths := slices.Compact(slices.Sorted(slices.Values(paths)))
		one, err := tx.PrepareContext(ctx, selectFiles+" WHERE path = ?")
		if err != nil {
			return err
		}
		defer one.Close()
		for _, path := range paths {
			rows, err := one.QueryContext(ctx, path)
			if err == nil {
				err = fill(numbered, rows)
			}
			if err != nil {
				return err
			}
		}
		all = past(numbered)
		return nil
	})
	return all, err
}

// Release returns what was last known of a release, and whether anything is.
func (s *Store) Release(ctx context.Context, id site.ID) (site.Past, bool, error) {
	found, err := s.past(ctx, "SELECT seq, id, published FROM release WHERE id = ? ORDER BY seq DESC LIMIT 1", id)
	if err != nil || len(found) == 0 {
		return site.Past{}, false, err
	}
	if found[0].Manifest.ID() != id {
		return site.Past{}, false, fmt.Errorf("%w: %s does not hold all of release %s (hint: move the file away)", ErrDamaged, s.path, id.Short())
	}
	return found[0], true, nil
}

// Removed lists the paths, in order, that remembered releases had and m has not.
func (s *Store) Removed(ctx context.Context, m site.Manifest) ([]string, error) {
	var removed []string
	err := s.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT DISTINCT path FROM file ORDER BY path")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var path sql.RawBytes
			if err := rows.Scan(&path); err != nil {
				return err
			}
			for len(m) > 0 && m[0].Path < string(path) {
				m = m[1:]
			}
			if len(m) == 0 || m[0].Path != string(path) {
				removed = append(removed, string(path))
			}
		}
		return rows.Err()
	})
	return removed, err
}

// past reads the releases that a query picks, with all their files.
func (s *Store) past(ctx context.Context, query string, args ...any) ([]site.Past, error) {
	var all []site.Past
	err := s.read(ctx, func(tx *sql.Tx) error {
		numbered, err := listReleases(ctx, tx, query, args...)
		if err != nil || len(numbered) == 0 {
			return err
		}
		newest, oldest := numbered[0].seq, numbered[len(numbered)-1].seq
		rows, err := tx.QueryContext(ctx, selectFiles+" WHERE born <= ? AND (died IS NULL OR died > ?) ORDER BY path, born", newest, oldest)
		if err != nil {
			return err
		}
		err = fill(numbered, rows)
		all = past(numbered)
		return err
	})
	return all, err
}

// numbered is a release with its place in the order.
type numbered struct {
	seq int64
	site.Past
}

func listReleases(ctx context.Context, tx *sql.Tx, query string, args ...any) ([]numbered, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []numbered
	for rows.Next() {
		var r numbered
		var published int64
		if err := rows.Scan(&r.seq, &r.Release, &published); err != nil {
			return nil, err
		}
		r.Published = timeOf(published)
		all = append(all, r)
	}
	return all, rows.Err()
}

const selectFiles = "SELECT path, size, digest, born, died FROM file"

// fill adds each file to the releases that had it, and closes rows.
func fill(releases []numbered, rows *sql.Rows) error {
	defer rows.Close()
	for rows.Next() {
		var f site.File
		var digest sql.RawBytes
		var born int64
		var died sql.NullInt64
		if err := rows.Scan(&f.Path, &f.Size, &digest, &born, &died); err != nil {
			return err
		}
		if copy(f.Digest[:], digest) != len(f.Digest) {
			return fmt.Errorf("%w: %q has a digest of %d bytes", ErrDamaged, f.Path, len(digest))
		}
		for i := range releases {
			if r := &releases[i]; born <= r.seq && (!died.Valid || r.seq < died.Int64) {
				r.Manifest = append(r.Manifest, f)
			}
		}
	}
	return rows.Err()
}

func past(releases []numbered) []site.Past {
	all := make([]site.Past, len(releases))
	for i, r := range releases {
		all[i] = r.Past
	}
	return all
}
