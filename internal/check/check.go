// Package check looks at every live origin and says where it does not serve the release:
// internal/origin fetches, diff judges, and this package brings the two together.
package check

import (
	"context"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// Run looks at all origins at once. The error is only ctx's: what an origin does wrong is
// in the verdict. Where a newer release has gone live meanwhile, that is what counts, and the
// origins are looked at again.
func Run(ctx context.Context, origins []origin.Endpoint, o Options) (diff.Verdict, error) {
	return Await(ctx, origins, o, 0)
}

// The pause between two questions to an origin that does not serve the release yet grows
// from firstPause by half each time up to lastPause. While its beacon claims another
// release, or none, the pages are looked at only every so often.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = 2 * time.Second
	unclaimed  = 2 * time.Second
)

// Await looks at the origins until all serve the release or patience has run out, and at
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
	return settle(ctx, origins, o, limit, func(ctx context.Context, v *visit) error { return v.await(ctx, patient) })
}

// await asks the beacon, which is one request, and looks at all pages when it claims the
// release. ctx bounds the requests, patient the waiting.
func (v *visit) await(ctx, patient context.Context) error {
	if patient.Err() != nil {
		return v.look(ctx, v.claim)
	}
	looked, o := time.Now(), v.options
	for pause := firstPause; ; pause = min(pause*3/2, lastPause) {
		claim := v.claim(v.limit)
		claimed := o.BeaconPath == "" || claim.Release == o.Release
		if claimed || time.Since(looked) > unclaimed {
			if err := v.look(ctx, known(claim)); err != nil || v.verdict.State() == diff.Agrees {
				return err
			}
			looked = time.Now()
			if o.Waiting != nil {
				o.Waiting(v.verdict)
			}
		}
		if !rest(patient, pause) {
			break
		}
	}
	if v.verdict.Name == "" {
		return v.look(ctx, v.claim)
	}
	return ctx.Err()
}

// known is a claim that was asked for before.
func known(b site.Beacon) func(context.Context) site.Beacon {
	return func(context.Context) site.Beacon { return b }
}

// rest waits, and reports false when ctx ends first.
func rest(ctx context.Context, pause time.Duration) bool {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
