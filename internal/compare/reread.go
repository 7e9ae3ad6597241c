package compare

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mirror/diff"
	"mirror/internal/survey"
	"mirror/internal/wait"
)

// A page that changed between two reads, and not between the next two, may be one that
// names the second it was made in: it is read once more after a pause. Many such pages are
// rather a change that goes on, and are not all waited for.
const (
	changePause = 1100 * time.Millisecond
	maxPauses   = 64
)

// reread asks every voter for the suspects once more, each on a fresh connection, as often
// as Confirm says or until they agree, and settles them.
func (c *comparison) reread(ctx context.Context, voters []*collector, suspects []int) {
	if len(voters) == 0 {
		return
	}
	workers := voters[0].at.Concurrency
	for _, s := range voters {
		workers = min(workers, s.at.Concurrency)
	}
	var next, pauses atomic.Int64
	var all sync.WaitGroup
	for range min(max(workers, 1), len(suspects)) {
		all.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(suspects)) && ctx.Err() == nil; n = next.Add(1) - 1 {
				l := &rereading{comparison: c, voters: voters, page: suspects[n], pauses: &pauses}
				l.run(ctx)
			}
		})
	}
	all.Wait()
}

// rereading is a page that is asked for again.
type rereading struct {
	*comparison
	voters []*collector
	page   int
	pauses *atomic.Int64 // how many pages were waited for

	answers []diff.Answer
	hosts   []int
}

func (l *rereading) run(ctx context.Context) {
	l.answers, l.hosts = make([]diff.Answer, len(l.voters)), make([]int, len(l.voters))
	for v, s := range l.voters {
		l.answers[v] = s.answer(l.page, l.pathOf(l.page))
	}
	rounds := 1
	for _, s := range l.voters {
		rounds = max(rounds, s.at.Confirm)
	}
	var r diff.Ruling
	for range rounds {
		l.round(ctx)
		if ctx.Err() != nil {
			return
		}
		if r = l.rule(l.page, l.answers); len(r.Differ) == 0 {
			break
		}
	}
	l.noteSingle(l.page, r, len(l.voters))
	r = l.learn(r)
	l.conclude(l.page, l.voters, r, func(v int) int { return l.hosts[v] })
	l.countRecovered(r)
}

// countRecovered counts the page at those that agree now and answered otherwise at first.
func (l *rereading) countRecovered(r diff.Ruling) {
	if l.page == len(l.paths) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range r.Agree {
		if first := l.voters[v].answer(l.page, l.pathOf(l.page)); !first.Same(l.pathOf(l.page), l.answers[v]) {
			l.voters[v].recovered++
		}
	}
}

// round asks every voter at once.
func (l *rereading) round(ctx context.Context) {
	var all sync.WaitGroup
	for v, s := range l.voters {
		all.Go(func() { l.answers[v], l.hosts[v] = l.reread(ctx, s, l.answers[v]) })
	}
	all.Wait()
}

// reread asks for the page anew, and as often as it takes to tell whether it changes on
// each read.
func (l *rereading) reread(ctx context.Context, s *collector, before diff.Answer) (diff.Answer, int) {
	ask := func() read {
		if s.missed.Load() >= int64(survey.MaxUnanswered(s.at.Concurrency)) {
			before.Status, before.Err = 0, errStopped
			return read{Answer: before}
		}
		r := s.ask(ctx, s.client.FetchFresh, l.pathOf(l.page))
		s.relate(&r.Answer, l.page, l.pathOf(l.page))
		if s.missed.Add(1); r.Status != 0 {
			s.missed.Store(0)
		}
		return r
	}
	now := ask()
	if before.Unsteady {
		now.Unsteady = true
	}
	if l.steady(before, now.Answer) {
		return now.Answer, now.hosts
	}
	last := ask()
	if l.steady(now.Answer, last.Answer) {
		if l.pauses.Add(1) > maxPauses || wait.Sleep(ctx, changePause) != nil {
			return last.Answer, last.hosts
		}
		now, last = last, ask()
	}
	last.Unsteady = !l.steady(now.Answer, last.Answer)
	return last.Answer, last.hosts
}

// errStopped is why an origin is not asked again for more pages.
var errStopped = errors.New("the origin stopped answering while pages were asked for again")

// steady reports whether two reads of one origin say the same, or one of them says nothing.
func (l *rereading) steady(a, b diff.Answer) bool {
	if a.Unsteady || b.Unsteady || !a.Judged() || !b.Judged() {
		return true
	}
	if l.page == len(l.paths) {
		return a.Status == b.Status && a.Digest == b.Digest
	}
	return a.Same(l.paths[l.page], b)
}

// learn takes what changes on each read out of a ruling, where that is asked for.
func (l *rereading) learn(r diff.Ruling) diff.Ruling {
	if !l.options.Learn {
		return r
	}
	r.Differ = slices.DeleteFunc(r.Differ, func(d diff.Difference) bool {
		v := slices.IndexFunc(l.answers, func(a diff.Answer) bool { return a.Origin == d.Origin })
		if !l.answers[v].Unsteady {
			return false
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.voters[v].noise = append(l.voters[v].noise, d.Path)
		return true
	})
	return r
}
