package history

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"mirror/diff"
	"mirror/site"
)

// CheckOf makes what is remembered of a verdict. The differences go with it to RecordCheck.
func CheckOf(v diff.Verdict) (Check, []diff.Difference) {
	c := Check{Started: v.Started, Elapsed: v.Elapsed, Release: v.Release, Pages: v.Pages, Partial: v.Sampled > 0, times: map[string]diff.Times{}}
	var all []diff.Difference
	for _, o := range v.Origins {
		for _, d := range o.Differences {
			d.Origin = o.Name
			all = append(all, d)
		}
		c.Origins = append(c.Origins, o.Summary())
		c.times[o.Name] = o.Times
	}
	return c, all
}

// RecordCheck remembers a check, and what it says of the episodes, all or nothing. The
// differences are those of all its origins. Those that are tolerated open no episode; what
// they could not judge does not end one either.
//
// An episode ends only where the origin was seen without it: neither a check that came to no
// verdict nor an origin that could not be seen ends one, and pages that could not be judged
// keep those that they are, or may be, part of.
func (s *Store) RecordCheck(ctx context.Context, c Check, differences []diff.Difference) (changes Changes, err error) {
	c, differences = s.cleanCheck(c).bounded(), s.cleanDifferences(differences)
	err = s.change(ctx, func(tx *sql.Tx) error {
		changes = Changes{}
		texts, err := number(ctx, tx, c.texts(), dayOf(c.Started))
		if err != nil {
			return err
		}
		id, err := insert(ctx, tx, `INSERT INTO "check" (job, started, elapsed, release, pages, partial, err) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			texts[c.Job], nanos(c.Started), c.Elapsed, texts[string(c.Release)], c.Pages, c.Partial, c.Err)
		if err != nil {
			return err
		}
		for _, o := range c.Origins {
			if err := addOrigin(ctx, tx, id, c, o, texts, differences, &changes); err != nil {
				return err
			}
		}
		return sumUpAll(ctx, tx, c)
	})
	if err != nil { // what was found is rolled back, and the next check finds it again
		return Changes{}, err
	}
	return changes, nil
}

// bounded is the check with what origins wrote cut to what is kept, and no origins where there
// is no verdict.
func (c Check) bounded() Check {
	c.Err = bounded(c.Err, maxError)
	if c.Err != "" {
		c.Origins = nil
	}
	c.Origins = slices.Clone(c.Origins)
	for i := range c.Origins {
		o := &c.Origins[i]
		o.URL, o.Err, o.Release = bounded(o.URL, maxError), bounded(o.Err, maxError), site.ID(bounded(string(o.Release), maxError))
	}
	return c
}

// texts lists the check's texts that are stored once.
func (c Check) texts() []string {
	all := []string{c.Job, string(c.Release)}
	for _, o := range c.Origins {
		all = append(all, o.URL, string(o.Release), more(o))
		for _, page := range o.Slowest {
			all = append(all, page.Path)
		}
	}
	return all
}

// addOrigin adds what a check saw of one origin, to the rows of the check, to the days and to
// the episodes.
func addOrigin(ctx context.Context, tx *sql.Tx, check int64, c Check, o diff.OriginState, texts numbers, all []diff.Difference, changes *Changes) error {
	row, err := originOf(ctx, tx, o.Name)
	if err != nil {
		return err
	}
	if err := addCheckOrigin(ctx, tx, check, o, row, texts); err != nil || c.Partial {
		return err
	}
	if err := sumUp(ctx, tx, c.Started, o, row); err != nil {
		return err
	}
	if err := addSlow(ctx, tx, c.Started, o, row, texts); err != nil {
		return err
	}
	o.Pages = cmp.Or(o.Pages, c.Pages)
	v := viewOf(c.Started, c.times[o.Name], o, all)
	if err := turnEpisodes(ctx, tx, v, row, changes); err != nil {
		return err
	}
	if v.answered {
		if err := row.look(ctx, tx, judged(v.looks, row.looks, v.unjudged)); err != nil {
			return err
		}
	}
	return row.note(ctx, tx, c.Started, o.State, v.whole())
}

// cleanCheck returns a check as it may be stored.
func (s *Store) cleanCheck(c Check) Check {
	c.Err = s.clean(c.Err)
	c.Origins = slices.Clone(c.Origins)
	for i := range c.Origins {
		c.Origins[i] = s.cleanOrigin(c.Origins[i])
	}
	times := map[string]diff.Times{}
	for name, t := range c.times {
		t.Looks = s.cleanLooks(t.Looks)
		times[name] = t
	}
	c.times = times
	return c
}

// cleanOrigin returns an origin as it may be stored. It goes by way of JSON, so that a text
// that is added to an origin one day is clean as well.
func (s *Store) cleanOrigin(o diff.OriginState) diff.OriginState {
	text, err := json.Marshal(o)
	clean := s.clean(string(text))
	if err == nil && clean == string(text) {
		return o
	}
	var c diff.OriginState
	if err != nil || json.Unmarshal([]byte(clean), &c) != nil {
		return diff.OriginState{Name: o.Name, State: o.State}
	}
	return c
}

// cleanLooks returns looks as they may be stored: with a secret in a path only of all pages together.
func (s *Store) cleanLooks(looks diff.Looks) diff.Looks {
	for _, l := range looks {
		if s.clean(l.From) != l.From || s.clean(l.To) != l.To {
			return looksAt(looks.Of(everywhere))
		}
	}
	return looks
}

// cleanDifferences returns differences as they may be stored. There may be a million, nearly
// always without a secret: then they are not copied.
func (s *Store) cleanDifferences(all []diff.Difference) []diff.Difference {
	copied := false
	for i := range all {
		d, was := all[i], &all[i]
		d.Path, d.URL, d.Location, d.Detail, d.Excerpt = s.clean(d.Path), s.clean(d.URL), s.clean(d.Location), s.clean(d.Detail), s.clean(d.Excerpt)
		if d.Path == was.Path && d.URL == was.URL && d.Location == was.Location && d.Detail == was.Detail && d.Excerpt == was.Excerpt {
			continue
		}
		if !copied {
			all, copied = slices.Clone(all), true
		}
		all[i] = d
	}
	return all
}

// sumUpAll adds a check of everything to the days of all origins together.
func sumUpAll(ctx context.Context, tx *sql.Tx, c Check) error {
	if c.Partial {
		return nil
	}
	row, err := originOf(ctx, tx, All)
	if err != nil {
		return err
	}
	if c.Err != "" || len(c.Origins) == 0 {
		return addToDay(ctx, tx, dayOf(c.Started), row.id, Day{Failed: 1})
	}
	all := diff.OriginState{State: diff.Agrees, Elapsed: c.Elapsed}
	for _, o := range c.Origins {
		all.State = diff.Worst(all.State, o.State)
		all.Pages += o.Pages
		all.Match += o.Match
	}
	if err := sumUp(ctx, tx, c.Started, all, row); err != nil {
		return err
	}
	return row.note(ctx, tx, c.Started, all.State, false)
}
