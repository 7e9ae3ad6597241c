package windows

import (
	"context"
	"fmt"
	"time"

	"mirror/diff"
	"mirror/internal/vantage/clock"
)

// Finish asks the agents for the last time, and returns what each place saw, on this machine's clock. began is the
// beginning of the watch here: nothing switched before. It ends soon, also where ctx has ended.
func (s *Session) Finish(ctx context.Context, began time.Time) []diff.PlaceWindow {
	s.mu.Lock()
	s.ending = true
	now := time.Now()
	trips := map[*agent]int{}
	for _, a := range s.agents {
		a.last, trips[a] = time.Time{}, a.trips
	}
	s.mu.Unlock()
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), lastWithin)
	defer done()
	s.until(ctx, func(a *agent) bool { return a.fullAt.After(now) && a.trips >= trips[a]+lastTrips })
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []diff.PlaceWindow
	for _, a := range s.agents {
		if a.missing == "" && !a.fullAt.After(now) {
			a.missing = "its agent did not answer at the end of the watch"
		}
		all = append(all, s.placed(a, began))
	}
	return all
}

// placed is what an agent saw, on this machine's clock. The caller must hold mu.
func (s *Session) placed(a *agent, began time.Time) diff.PlaceWindow {
	p := diff.PlaceWindow{Place: a.place, Missing: a.missing}
	if p.Missing != "" {
		return p
	}
	drift := s.places.Drift
	if drift == 0 {
		drift = clock.DefaultDrift
	}
	relation, err := clock.Relate(a.samples, drift)
	if err != nil {
		p.Missing = fmt.Sprintf("its clock cannot be compared with this machine's: %v", err)
		return p
	}
	m := mapping{relation: relation, zero: s.zero, began: began}
	for i, seen := range a.full {
		o, err := s.origin(i, seen, &m)
		if err != nil {
			return diff.PlaceWindow{Place: a.place, Missing: fmt.Sprintf("what its agent says of %s cannot be: %v", s.task.Origins[i].Name, err)}
		}
		p.Origins = append(p.Origins, o)
	}
	p.Offset = m.widest
	return p
}

// origin is what an agent says of one origin, on this machine's clock.
func (s *Session) origin(i int, seen Seen, m *mapping) (o diff.OriginWindow, err error) {
	o = diff.OriginWindow{
		Name: s.task.Origins[i].Name, Pages: min(max(seen.Pages, 0), len(s.task.Changes)), Unchanged: seen.Unchanged, Flaps: seen.Flaps,
		Reversals: max(seen.Reversals, 0), Polls: max(seen.Polls, 0),
	}
	for _, at := range seen.Open {
		if at < 0 || at >= len(s.task.Changes) || len(o.Open) >= len(s.task.Changes) {
			return o, fmt.Errorf("it names a page that does not change")
		}
		o.Open = append(o.Open, s.task.Changes[at].Path)
	}
	if o.Unchanged {
		o.FirstNew, o.AllNew = diff.Bounds{After: m.began, Before: m.began}, diff.Bounds{After: m.began, Before: m.began}
		return o, nil
	}
	if o.FirstNew, err = m.bounds(seen.FirstNew); err != nil {
		return o, err
	}
	if o.AllNew, err = m.bounds(seen.AllNew); err != nil {
		return o, err
	}
	if len(o.Open) == 0 && o.AllNew.Before.IsZero() {
		return o, fmt.Errorf("no page is open, and its end is not bounded")
	}
	if seen.Switch != nil {
		once, err := m.bounds(*seen.Switch)
		if err != nil {
			return o, err
		}
		o.Switch = &once
	}
	return o, nil
}

// mapping makes bounds on this machine's clock of those on an agent's.
type mapping struct {
	relation clock.Relation
	zero     time.Time     // of durations on this machine's clock
	began    time.Time     // of the watch: nothing switched before
	widest   time.Duration // by how much a bound was not known at most
}

func (m *mapping) bounds(e Edge) (b diff.Bounds, err error) {
	b.After = m.began
	if e.After != nil && e.Before != nil && *e.After > *e.Before {
		return b, fmt.Errorf("its bounds exclude each other")
	}
	if e.After != nil {
		after, err := m.at(*e.After)
		if err != nil {
			return b, err
		}
		b.After = later(after.from, m.began)
	}
	if e.Before != nil {
		before, err := m.at(*e.Before)
		if err != nil {
			return b, err
		}
		if b.Before = before.to; b.Before.Before(b.After) {
			return b, fmt.Errorf("it was new before the watch began")
		}
	}
	return b, nil
}

// between is an instant that is known within bounds.
type between struct{ from, to time.Time }

func (m *mapping) at(instant time.Duration) (between, error) {
	from, to, err := m.relation.At(instant)
	m.widest = max(m.widest, to-from)
	return between{m.zero.Add(from), m.zero.Add(to)}, err
}
