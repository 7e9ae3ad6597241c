package check

import (
	"context"
	"errors"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
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
func Await(ctx context.Context, origins []Origin, o Options, patience time.Duration) (diff.Verdict, error) {
	v := diff.Verdict{
		Release: o.Release, Pages: len(o.Manifest), Started: time.Now(),
		Origins: make([]diff.OriginVerdict, len(origins)),
	}
	wants := o.expectations()
	errs := make([]error, len(origins))
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var all sync.WaitGroup
	for i, at := range origins {
		all.Go(func() { v.Origins[i], errs[i] = awaitOne(ctx, patient, at, wants, o) })
	}
	all.Wait()
	v.Elapsed = time.Since(v.Started)
	return v, errors.Join(errs...)
}

// awaitOne asks the beacon, which is one request, and looks at all pages when it claims
// the release. ctx bounds the requests, patient the waiting.
func awaitOne(ctx, patient context.Context, at Origin, wants []diff.Expectation, o Options) (v diff.OriginVerdict, err error) {
	client := origin.New(at.Origin, at.Options)
	defer client.Close()
	looked := time.Now()
	for pause := firstPause; ; pause = min(pause*3/2, lastPause) {
		claimed := o.BeaconPath == "" || Claim(ctx, client, o.BeaconPath) == o.Release
		if claimed || time.Since(looked) > unclaimed {
			if v, err = look(ctx, at, wants, o); err != nil || v.State() == diff.Agrees {
				return v, err
			}
			looked = time.Now()
			if o.Waiting != nil {
				o.Waiting(v)
			}
		}
		if !rest(patient, pause) {
			break
		}
	}
	if v.Name == "" {
		return look(ctx, at, wants, o)
	}
	return v, ctx.Err()
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
