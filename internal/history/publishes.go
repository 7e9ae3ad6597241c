package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"mirror/diff"
	"mirror/site"
)

// keepLate is how many pages that were still open are kept of each origin's window.
const keepLate = 100

// Publish is one publish, as it is remembered.
type Publish struct {
	ID       int64
	Job      string // that ran it; "" for a person
	Started  time.Time
	Elapsed  time.Duration
	Outcome  string // as in the publish's JSON document
	Release  site.ID
	Previous site.ID
	Files    int
	Sent     int64        // bytes
	Window   *diff.Window // nil where it was not watched
	Err      string
	Details  PublishDetails
}

// PublishDetails is what a publish did to each target, and what the origins showed at its end. It is the
// zero value for a publish that an earlier version remembered.
type PublishDetails struct {
	Targets []PublishTarget `json:"targets,omitempty"`
	// Reason says for people why the origins did not agree at the end, "" where they did or were not looked at.
	Reason string `json:"reason,omitempty"`
	// Rollback says that an earlier release was to go live again.
	Rollback bool `json:"rollback,omitempty"`
}

// PublishTarget is what a publish did to one target.
type PublishTarget struct {
	Name      string        `json:"name"`
	Type      string        `json:"type"`
	From      site.ID       `json:"from"`
	To        site.ID       `json:"to"`
	Add       int           `json:"add"`
	Change    int           `json:"change"`
	Delete    int           `json:"delete"`
	Same      int           `json:"same"`
	SentFiles int           `json:"sent_files"`
	SentBytes int64         `json:"sent_bytes"`
	Stage     time.Duration `json:"stage"`
	Commit    time.Duration `json:"commit"`
	Committed time.Time     `json:"committed,omitzero"` // zero where it was not
	Err       string        `json:"err,omitempty"`
}

// maxPublishTargets bounds the targets that are kept of one publish.
const maxPublishTargets = 100

// RecordPublish remembers a publish and returns its ID.
func (s *Store) RecordPublish(ctx context.Context, p Publish) (id int64, err error) {
	var closed any
	var lower, upper time.Duration
	var window []byte
	if p.Window != nil {
		closed, lower, upper = p.Window.Closed, p.Window.Lower, p.Window.Upper
		if window, err = json.Marshal(shortened(*p.Window)); err != nil {
			return 0, fmt.Errorf("history: %w", err)
		}
	}
	details, err := s.details(p.Details)
	if err != nil {
		return 0, err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		id, err = insert(ctx, tx, `INSERT INTO publish (job, started, elapsed, outcome, release, previous, files, sent, closed, lower, upper, window, err, details)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, p.Job, nanos(p.Started), p.Elapsed, p.Outcome, p.Release, p.Previous, p.Files, p.Sent,
			closed, lower, upper, s.clean(string(window)), bounded(s.clean(p.Err), maxError), details)
		return err
	})
	return id, err
}

// details is what is stored of them: bounded, and without secrets.
func (s *Store) details(d PublishDetails) (string, error) {
	d.Reason = bounded(d.Reason, maxError)
	d.Targets = slices.Clone(d.Targets[:min(len(d.Targets), maxPublishTargets)])
	for i, t := range d.Targets {
		d.Targets[i].Err = bounded(t.Err, maxError)
	}
	text, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("history: %w", err)
	}
	return s.clean(string(text)), nil
}

// shortened is the window without most of the pages that an origin never showed.
func shortened(w diff.Window) diff.Window {
	w.Origins = append([]diff.OriginWindow{}, w.Origins...)
	for i, o := range w.Origins {
		w.Origins[i].Open = o.Open[:min(len(o.Open), keepLate)]
	}
	return w
}

// Publishes lists the publishes that began at since or later, the newest first; limit bounds
// how many, 0 for all.
func (s *Store) Publishes(ctx context.Context, since time.Time, limit int) ([]Publish, error) {
	return s.publishes(ctx, "WHERE started >= ? ORDER BY started DESC, id DESC LIMIT ?", nanos(since), limited(limit))
}

// PublishesBefore lists the publishes that were remembered before the one with the ID before,
// or all for 0, the newest first; limit bounds how many, 0 for all.
func (s *Store) PublishesBefore(ctx context.Context, before int64, limit int) ([]Publish, error) {
	return s.publishes(ctx, "WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2", before, limited(limit))
}

// Publish returns one publish, and whether it is there.
func (s *Store) Publish(ctx context.Context, id int64) (Publish, bool, error) {
	return first(s.publishes(ctx, "WHERE id = ?", id))
}

// LastPublish returns the latest publish, and whether there is one.
func (s *Store) LastPublish(ctx context.Context) (Publish, bool, error) {
	return first(s.publishes(ctx, "ORDER BY started DESC, id DESC LIMIT 1"))
}

func (s *Store) publishes(ctx context.Context, where string, args ...any) (all []Publish, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT id, job, started, elapsed, outcome, release, previous, files, sent, window, err, details FROM publish "+where, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p Publish
			var started int64
			var window, details sql.RawBytes
			if err := rows.Scan(&p.ID, &p.Job, &started, &p.Elapsed, &p.Outcome, &p.Release, &p.Previous, &p.Files, &p.Sent, &window, &p.Err, &details); err != nil {
				return err
			}
			p.Started = timeOf(started)
			if len(window) > 0 {
				p.Window = new(diff.Window)
				if err := json.Unmarshal(window, p.Window); err != nil {
					return fmt.Errorf("%w: the window of publish %d: %w", ErrDamaged, p.ID, err)
				}
			}
			if len(details) > 0 {
				if err := json.Unmarshal(details, &p.Details); err != nil {
					return fmt.Errorf("%w: the details of publish %d: %w", ErrDamaged, p.ID, err)
				}
			}
			all = append(all, p)
		}
		return rows.Err()
	})
	return all, err
}
