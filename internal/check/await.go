package check

import (
	"context"
	"net/http"
	"time"

	"mirror/diff"
	"mirror/internal/wait"
	"mirror/site"
)

// The pause between two questions to an origin that does not serve the release yet grows
// from firstPause by half each time up to lastPause. While its beacon claims another
// release, or none, the pages are read only every so often.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = 2 * time.Second
	unclaimed  = 2 * time.Second
)

// await asks the beacon, which is one request, and reads all pages when it claims the
// release. An origin without a beacon is read at once. ctx bounds the requests, patient the waiting.
func (v *visit) await(ctx, patient context.Context) error {
	if patient.Err() != nil {
		return v.read(ctx, v.claim)
	}
	read, o := time.Now(), v.options
	var failing time.Time // since when every answer was a permanent failure
	for pause := firstPause; ; pause = min(pause*3/2, lastPause) {
		asked := time.Now()
		claim := v.claim(v.limit)
		if o.Cached != nil && claim.Release != site.None {
			o.Cached(v.at.Name, site.Observation{Path: o.BeaconPath, Status: http.StatusOK, Asked: asked}, claim.Release == o.Release)
		}
		claimed := o.BeaconPath == "" || claim.Release == o.Release
		if claimed || time.Since(read) > unclaimed || pause == firstPause && claim.Release == site.None {
			if err := v.read(ctx, answered(claim)); err != nil || v.verdict.State() == diff.Agrees {
				return err
			}
			read = time.Now()
			switch {
			case !v.failing:
				failing = time.Time{}
			case failing.IsZero():
				failing = read
			case o.GiveUp > 0 && read.Sub(failing) >= o.GiveUp:
				return ctx.Err()
			}
			if o.Waiting != nil {
				o.Waiting(v.verdict)
			}
		}
		if wait.Sleep(patient, pause) != nil {
			break
		}
	}
	if v.verdict.Name == "" {
		return v.read(ctx, v.claim)
	}
	return ctx.Err()
}

// answered is a claim that was asked for before.
func answered(b site.Beacon) func(context.Context) site.Beacon {
	return func(context.Context) site.Beacon { return b }
}
