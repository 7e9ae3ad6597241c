package check

import (
	"context"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// The pause between two questions to an origin that does not serve the release yet grows
// from firstPause by half each time up to lastPause. While its beacon claims another
// release, or none, the pages are looked at only every so often.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = 2 * time.Second
	unclaimed  = 2 * time.Second
)

// Await looks at the origins until all serve the release or patience has run out, and at
// least once. It returns what it saw last of each; the error is only ctx's.
func Await(ctx context.Context, origins []origin.Endpoint, o Options, patience time.Duration) (diff.Verdict, error) {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return settle(ctx, origins, o, func(ctx context.Context, v *visit) error { return v.await(ctx, patient) })
}

// await asks the beacon, which is one request, and looks at all pages when it claims the
// release. ctx bounds the requests, patient the waiting.
func (v *visit) await(ctx, patient context.Context) error {
	looked, o := time.Now(), v.options
	var claim site.Beacon
	for pause := firstPause; ; pause = min(pause*3/2, lastPause) {
		claim = v.claim(ctx)
		claimed := o.BeaconPath == "" || claim.Release == o.Release
		if claimed || time.Since(looked) > unclaimed {
			if err := v.look(ctx, claim); err != nil || v.verdict.State() == diff.Agrees {
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
		return v.look(ctx, claim)
	}
	return ctx.Err()
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
