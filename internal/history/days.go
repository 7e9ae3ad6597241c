package history

import (
	"context"
	"database/sql"
	"time"

	"mirror/diff"
)

// Day sums up how one origin did on one day, or on a part of it, in the checks that looked at
// everything.
type Day struct {
	Date   time.Time // midnight, UTC
	Origin string    // All for all origins together
	// Checks counts those that came to a verdict; the three numbers below add up to it.
	Checks  int
	Agreed  int // checks in which it agreed
	Drifted int // checks in which it drifted
	// Unreachable is in how many checks it, or some of its pages, could not be judged, and
	// nothing else was wrong.
	Unreachable int
	Failed      int           // checks that came to no verdict; of All only
	Pages       int           // that were to be judged, over all checks
	Matched     int           // of those, pages that agreed
	Elapsed     time.Duration // over all checks
	// AgreedFor, DriftedFor and UnreachableFor tell for how long it was so. The time between
	// two checks counts as what both saw, half and half where they saw different things; where
	// it is longer than MaxGap, only so much of it counts, half of that beside each of them.
	AgreedFor, DriftedFor, UnreachableFor time.Duration
}

// Plus is both together, with the name and the date of d where it has them, else of other.
func (d Day) Plus(other Day) Day {
	if d.Date.IsZero() {
		d.Date, d.Origin = other.Date, other.Origin
	}
	d.Checks, d.Failed = d.Checks+other.Checks, d.Failed+other.Failed
	d.Agreed, d.Drifted, d.Unreachable = d.Agreed+other.Agreed, d.Drifted+other.Drifted, d.Unreachable+other.Unreachable
	d.Pages, d.Matched, d.Elapsed = d.Pages+other.Pages, d.Matched+other.Matched, d.Elapsed+other.Elapsed
	d.AgreedFor, d.DriftedFor, d.UnreachableFor = d.AgreedFor+other.AgreedFor, d.DriftedFor+other.DriftedFor, d.UnreachableFor+other.UnreachableFor
	return d
}

// All is the name that stands for all origins together: where one drifts they drift, else
// where one could not be judged they could not.
const All = ""

// MaxGap is how far apart two checks may be for the time between to be known.
const MaxGap = 25 * time.Hour

// add counts one check.
func (d *Day) add(o diff.OriginState) {
	d.Checks++
	d.Agreed += one(o.State == diff.Agrees)
	d.Drifted += one(o.State == diff.Drifts)
	d.Unreachable += one(o.State == diff.CannotBeSeen)
	d.Pages += o.Pages
	d.Matched += o.Match
	d.Elapsed += o.Elapsed
}

// spend adds time in a state.
func (d *Day) spend(state diff.State, t time.Duration) {
	switch state {
	case diff.Agrees:
		d.AgreedFor += t
	case diff.Drifts:
		d.DriftedFor += t
	default:
		d.UnreachableFor += t
	}
}

// stretch is a time that an origin spent in one state, as far as anybody knows.
type stretch struct {
	from, to time.Time
	state    diff.State
}

// between tells what an origin did between two checks.
func between(from time.Time, before diff.State, to time.Time, after diff.State) []stretch {
	gap := to.Sub(from)
	if from.IsZero() || gap <= 0 {
		return nil
	}
	half := min(gap, MaxGap) / 2
	return []stretch{{from, from.Add(half), before}, {to.Add(-half), to, after}}
}

// byDay cuts a stretch at each midnight.
func (s stretch) byDay(do func(day int64, t time.Duration)) {
	for from := s.from; from.Before(s.to); {
		day := dayOf(from)
		end := earlier(s.to, midnight(day+1))
		do(day, end.Sub(from))
		from = end
	}
}

// sumUp adds an origin's check at an instant, and the time since the one before, to the days.
func sumUp(ctx context.Context, tx *sql.Tx, at time.Time, o diff.OriginState, row origin) error {
	days := map[int64]Day{}
	today := dayOf(at)
	var sum Day
	sum.add(o)
	days[today] = sum
	for _, s := range between(row.at, states()[row.state], at, o.State) {
		s.byDay(func(day int64, t time.Duration) {
			part := days[day]
			part.spend(s.state, t)
			days[day] = part
		})
	}
	for day, part := range days {
		if err := addToDay(ctx, tx, day, row.id, part); err != nil {
			return err
		}
	}
	return nil
}

func addToDay(ctx context.Context, tx *sql.Tx, day, origin int64, d Day) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO day (day, origin, checks, agreed, drifted, unseen, failed, pages, matched, elapsed, agreed_for, drifted_for, unseen_for)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
		checks = checks + excluded.checks, agreed = agreed + excluded.agreed, drifted = drifted + excluded.drifted, unseen = unseen + excluded.unseen, failed = failed + excluded.failed,
		pages = pages + excluded.pages, matched = matched + excluded.matched, elapsed = elapsed + excluded.elapsed,
		agreed_for = agreed_for + excluded.agreed_for, drifted_for = drifted_for + excluded.drifted_for, unseen_for = unseen_for + excluded.unseen_for`,
		day, origin, d.Checks, d.Agreed, d.Drifted, d.Unreachable, d.Failed, d.Pages, d.Matched, d.Elapsed, d.AgreedFor, d.DriftedFor, d.UnreachableFor)
	return err
}
