// Package replica has several daemons keep the same history: what one of them records is sent to all, and is applied
// once, however often it arrives.
package replica

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

// Record is something that a daemon has recorded. One of its pointers is set.
type Record struct {
	From  string // the daemon
	Check *Check `json:",omitempty"`
	// Begun and Ended are runs of jobs. Ended is the whole run: its Begun may be lost.
	Begun *history.Run `json:",omitempty"`
	Ended *history.Run `json:",omitempty"`
	Sent  *Sent        `json:",omitempty"`
}

// Check is a check, with the verdict, or with the error where there is none.
type Check struct {
	Job     string
	Started time.Time
	Elapsed time.Duration
	Err     string       `json:",omitempty"`
	Verdict diff.Verdict // without its origins
	Origins []Origin     `json:",omitempty"`
}

// Origin is the verdict on one origin.
type Origin struct {
	diff.OriginVerdict
	Failure string // OriginVerdict.Err, which JSON has no form for
}

// CheckOf makes the record of a check of a job.
func CheckOf(job string, started time.Time, elapsed time.Duration, v diff.Verdict, failure error) *Check {
	if failure != nil {
		return &Check{Job: job, Started: started, Elapsed: elapsed, Err: failure.Error()}
	}
	c := &Check{Job: job, Started: v.Started, Elapsed: v.Elapsed, Verdict: v}
	for _, o := range v.Origins {
		at := Origin{OriginVerdict: o}
		if o.Err != nil {
			at.Failure, at.Err = o.Err.Error(), nil
		}
		c.Origins = append(c.Origins, at)
	}
	c.Verdict.Origins = nil
	return c
}

// Rows are what the history keeps of the check.
func (c *Check) Rows() (history.Check, []diff.Difference) {
	if c.Err != "" {
		return history.Check{Job: c.Job, Started: c.Started, Elapsed: c.Elapsed, Err: c.Err}, nil
	}
	row, differences := history.CheckOf(c.Whole())
	row.Job = c.Job
	return row, differences
}

// Whole is the verdict with its origins.
func (c *Check) Whole() diff.Verdict {
	v := c.Verdict
	v.Origins = nil
	for _, o := range c.Origins {
		at := o.OriginVerdict
		if o.Failure != "" {
			at.Err = errors.New(o.Failure)
		}
		v.Origins = append(v.Origins, at)
	}
	return v
}

// maxRecord bounds a record, in bytes: brokers take messages of 1 MiB.
const maxRecord = 900 << 10

// encode returns the record in at most maxRecord bytes. Differences that do not fit are counted by others.
func (r Record) encode(scrub func(text string) string) ([]byte, error) {
	for {
		text, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		if text = []byte(scrub(string(text))); !json.Valid(text) {
			return nil, errors.New("a secret cannot be taken out of a record")
		}
		if len(text) <= maxRecord {
			return text, nil
		}
		if r.Check == nil || !r.Check.halve() {
			return nil, fmt.Errorf("a record has %d bytes, at most %d are sent", len(text), maxRecord)
		}
	}
}

// halve drops every second difference, and counts it at the one before of its kind.
func (c *Check) halve() (dropped bool) {
	c.Origins = slices.Clone(c.Origins)
	for i := range c.Origins {
		o := &c.Origins[i]
		o.Noise, o.Slowest = nil, nil
		var kept []diff.Difference
		last := map[diff.Kind]int{} // index in kept, of those that count one more
		for _, d := range o.Differences {
			at, ok := last[d.Kind]
			if !ok {
				last[d.Kind] = len(kept)
				kept = append(kept, d)
				continue
			}
			kept[at].Pages = max(kept[at].Pages, 1) + max(d.Pages, 1)
			delete(last, d.Kind)
			dropped = true
		}
		o.Differences = kept
	}
	return dropped
}

// Decode reads a record.
func Decode(text []byte) (r Record, err error) {
	if len(text) > maxRecord {
		return r, fmt.Errorf("a record has %d bytes, at most %d are read", len(text), maxRecord)
	}
	err = json.Unmarshal(text, &r)
	return r, err
}

// Sent is a notification that was delivered. Episodes have other numbers in other histories, so one is named by what it is.
type Sent struct {
	Before, After string // the key is Before, the number of the episode, and After; without an episode, Before
	At            time.Time
	Episode       *Episode `json:",omitempty"`
}

// Episode names an episode in every history.
type Episode struct {
	Origin string
	Kind   diff.Kind
	Opened time.Time
}

// SentOf makes the record of a key of the ledger of notifications; nil for one that means nothing to other daemons.
func SentOf(ctx context.Context, h *history.Store, key string, at time.Time) (*Sent, error) {
	const episode = "/episode/"
	i := strings.LastIndex(key, episode)
	if i < 0 {
		if strings.Contains(key, "/certificate/") {
			return &Sent{Before: key, At: at}, nil
		}
		return nil, nil
	}
	before, rest := key[:i+len(episode)], key[i+len(episode):]
	number, after, _ := strings.Cut(rest, "/")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return nil, err
	}
	e, ok, err := h.Episode(ctx, id)
	if err != nil || !ok {
		return nil, err
	}
	return &Sent{Before: before, After: "/" + after, At: at, Episode: &Episode{e.Origin, e.Kind, e.Opened}}, nil
}

// Record notes in a history that the notification was delivered. An episode that the history does not have is none of it.
func (s *Sent) Record(ctx context.Context, h *history.Store) error {
	key := s.Before
	if s.Episode != nil {
		all, err := h.Episodes(ctx, history.EpisodeFilter{Origin: s.Episode.Origin, Since: s.Episode.Opened})
		if err != nil {
			return err
		}
		var nearest *history.Episode
		for i, e := range all {
			if e.Kind == s.Episode.Kind && (nearest == nil || apart(e, s.Episode) < apart(*nearest, s.Episode)) {
				nearest = &all[i]
			}
		}
		if nearest == nil {
			return nil
		}
		key = s.Before + strconv.FormatInt(nearest.ID, 10) + s.After
	}
	return h.RecordSent(ctx, key, s.At, nil)
}

// apart is how far the beginnings of episodes lie apart.
func apart(e history.Episode, of *Episode) time.Duration { return e.Opened.Sub(of.Opened).Abs() }
