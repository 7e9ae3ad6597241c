// Package check reads every live origin and says where it does not serve the release:
// internal/survey asks, diff judges, and this package brings the two together.
package check

import (
	"context"
	"fmt"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
)

// Run reads all origins at once. The error is only ctx's: what an origin does wrong is
// in the verdict. Where a newer release has gone live meanwhile, that is what counts, and the
// origins are read again.
func Run(ctx context.Context, origins []origin.Endpoint, o Options) (diff.Verdict, error) {
	return Await(ctx, origins, o, 0)
}

// Await reads the origins until all serve the release or patience has run out, and at
// least once. It returns what it saw last of each; the error is only ctx's. When patience has
// run out, or without any Options.Limit, an origin that answers is read to its end, and one that
// gives nothing for a moment is given up.
func Await(ctx context.Context, origins []origin.Endpoint, o Options, patience time.Duration) (diff.Verdict, error) {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	limit := patient
	if patience <= 0 && o.Limit <= 0 {
		limit = ctx
	} else if patience <= 0 {
		limited, stop := context.WithTimeout(ctx, o.Limit)
		defer stop()
		limit = limited
	}
	return converge(ctx, limit, origins, o, func(ctx context.Context, v *visit) error { return v.await(ctx, patient) })
}

// maxRestarts is how many releases may go live while one check runs.
const maxRestarts = 3

// converge reads the origins until no newer release has gone live in between. limit ends with the
// time that the origins have.
func converge(ctx, limit context.Context, origins []origin.Endpoint, o Options, read func(context.Context, *visit) error) (diff.Verdict, error) {
	began := time.Now()
	var notes []string
	for restarts := 0; ; restarts++ {
		r := newRound(limit, origins, o)
		verdict, err := r.run(ctx, read)
		if err == nil && (!verdict.Agree() || verdict.Overtaken()) && restarts < maxRestarts && limit.Err() == nil {
			if next, back, ok := r.superseded(ctx); ok {
				note := "release %s has gone live since %s: the origins are compared with that"
				if back {
					note = "the origins were rolled back to release %[1]s: they are compared with that, and not with release %[2]s"
				}
				notes = append(notes, fmt.Sprintf(note, next.Release.Short(), o.Release.Short()))
				o = next
				r.close()
				continue
			}
		}
		r.close()
		verdict.Started, verdict.Elapsed, verdict.Notes = began, time.Since(began), append(verdict.Notes, notes...)
		return verdict, err
	}
}
