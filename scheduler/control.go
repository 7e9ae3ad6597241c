package scheduler

import (
	"fmt"
	"slices"
	"time"
)

// Status is what a Runner knows of one job at a moment.
type Status struct {
	Job      string
	Spec     string
	Describe string // the spec in plain words
	Running  bool
	Since    time.Time // with Running
	Slot     Slot      // with Running
	// Last is how the latest run that ended here went; its Outcome is "" before there is one.
	Last Result
	// LastSlot is the latest slot that was run, skipped or missed, zero for none. It is
	// known after a restart, too.
	LastSlot time.Time
	// Next is when the next run begins, its delay included, zero for never.
	Next    time.Time
	Overdue bool
}

// Status returns what there is to know of all jobs, in their order.
func (r *Runner) Status() []Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	var all []Status
	for _, t := range r.tracks {
		s := Status{Job: t.name, Spec: t.job.Schedule.String(), Describe: t.job.Schedule.Describe(),
			Last: t.last, LastSlot: t.slot, Overdue: r.overdue(t, now)}
		if t.current != nil {
			s.Running, s.Since, s.Slot = true, t.current.began, t.current.slot
		}
		if !t.gone && r.phase != stopped {
			s.Next = t.next(now, r.options.Seed)
		}
		all = append(all, s)
	}
	return all
}

// next returns when the job runs next.
func (t *track) next(now time.Time, seed string) time.Time {
	ahead := *t
	if !t.known {
		ahead.after = now
	}
	_, at := ahead.due(now, seed)
	return at
}

// Overdue lists the jobs that ought to have been done by now and have not been: their next
// slot after they were last done is past, and so are its jitter and the Options' Overdue,
// and, while they run, their timeout. Only a run without an error counts as done. It is the
// sign that the scheduler, or what it runs, is dead.
func (r *Runner) Overdue(now time.Time) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for _, t := range r.tracks {
		if r.overdue(t, now.Round(0)) {
			names = append(names, t.name)
		}
	}
	return names
}

func (r *Runner) overdue(t *track, now time.Time) bool {
	if t.gone || !t.known {
		return false
	}
	deadline := t.deadline(r.options.Seed, r.options.Overdue)
	return !deadline.IsZero() && now.After(deadline)
}

// Trigger runs a job now, beside its slots. The result comes when the run has ended. Errors
// are ErrRunning, ErrUnknown and ErrStopped.
func (r *Runner) Trigger(job string) (<-chan Result, error) {
	asked, err := r.ask(job)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", job, err)
	}
	r.nudge()
	return asked, nil
}

func (r *Runner) ask(job string) (<-chan Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.find(job)
	switch {
	case r.phase != running:
		return nil, ErrStopped
	case t == nil || t.gone:
		return nil, ErrUnknown
	case t.current != nil || t.asked != nil:
		return nil, ErrRunning
	}
	t.asked = make(chan Result, 1)
	return t.asked, nil
}

// Replace puts other jobs in the place of those so far. A job that stays, by its name, keeps
// what is known of it, and its slots unless its schedule is another one. One that is no
// longer there runs to its end, and not again. On an error nothing is changed.
func (r *Runner) Replace(jobs []Job) error {
	if err := check(jobs); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var tracks []*track
	for _, job := range jobs {
		t := r.find(job.Name)
		if t == nil {
			t = &track{name: job.Name, job: job}
		}
		if t.known && (t.gone || t.job.Schedule.String() != job.Schedule.String()) {
			t.restart(r.now())
		}
		t.job, t.gone = job, false
		tracks = append(tracks, t)
	}
	for _, t := range r.tracks {
		if slices.Contains(tracks, t) {
			continue
		}
		t.refuse(ErrUnknown)
		if t.current != nil {
			t.gone = true
			tracks = append(tracks, t)
		}
	}
	r.tracks = tracks
	r.nudge()
	return nil
}
