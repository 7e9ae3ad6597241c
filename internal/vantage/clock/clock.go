// Package clock tells when something happened on the clock of another machine, as sound bounds on this
// machine's clock, without synchronised clocks. Each machine has a monotonic clock of its own. Round trips
// bound how the two relate (Cristian 1989); the bounds of several are intersected (Marzullo 1984), each
// widened by how far the clocks may have drifted apart since. It does no I/O.
package clock

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// DefaultDrift is by how much the rates of two clocks may differ: 200 ppm, twice what quartz does.
const DefaultDrift = 200e-6

// Sample is one round trip: this machine asked, the other one read its clocks, and the answer came.
type Sample struct {
	Sent, Received time.Duration // by this machine's monotonic clock
	Read           time.Duration // the other machine's monotonic clock, somewhere between
	Boot           time.Duration // the other machine's boot-time clock, read next to it: it goes on while the machine is suspended
}

// The reasons why what a machine saw cannot be placed in time.
var (
	// ErrContradiction means that no clock within the drift bound explains the round trips.
	ErrContradiction = errors.New("the round trips contradict each other")
	// ErrSuspended means that the machine was suspended, so that its monotonic clock stood still.
	ErrSuspended = errors.New("the machine was suspended")
	// ErrUnknown means that there is no round trip, or that an instant is too far from all of them.
	ErrUnknown = errors.New("the clocks were not compared")
)

// SuspendedAfter is by how much the boot-time clock may run ahead of the monotonic one: reading two clocks takes a
// moment. What it runs ahead within that widens every bound.
const SuspendedAfter = 10 * time.Millisecond

// farthest is the longest time from a round trip to an instant.
const farthest = 10 * 24 * time.Hour

// Relation is how the clock of another machine relates to this one's.
type Relation struct {
	samples []Sample
	drift   float64
	apart   time.Duration // by how much the other machine's two clocks ran apart at most
}

// Relate makes a relation of round trips, in any order. drift bounds the difference of the rates: while this
// machine's clock advances by 1, the other one's advances by 1-drift to 1+drift.
func Relate(samples []Sample, drift float64) (Relation, error) {
	if len(samples) == 0 || drift < 0 || drift >= 0.5 {
		return Relation{}, ErrUnknown
	}
	r := Relation{samples: samples, drift: drift}
	least, most := samples[0].Boot-samples[0].Read, samples[0].Boot-samples[0].Read
	for _, s := range samples {
		if s.Received < s.Sent {
			return Relation{}, fmt.Errorf("%w: an answer came before its question", ErrContradiction)
		}
		least, most = min(least, s.Boot-s.Read), max(most, s.Boot-s.Read)
	}
	if r.apart = most - least; r.apart > SuspendedAfter {
		return Relation{}, fmt.Errorf("%w for %s", ErrSuspended, r.apart)
	}
	for _, s := range samples {
		if _, _, err := r.At(s.Read); err != nil {
			return Relation{}, err
		}
	}
	return r, nil
}

// At returns the bounds on this machine's clock of an instant on the other machine's clock.
func (r Relation) At(instant time.Duration) (after, before time.Duration, err error) {
	after, before = math.MinInt64, math.MaxInt64
	for _, s := range r.samples {
		least, most, ok := r.elapsed(instant - s.Read)
		if !ok {
			continue
		}
		_, stood, _ := r.elapsed(r.apart) // how long that was on this machine's clock
		after, before = max(after, s.Sent+least-stood), min(before, s.Received+most+stood)
	}
	switch {
	case after == math.MinInt64:
		return 0, 0, ErrUnknown
	case after > before:
		return 0, 0, fmt.Errorf("%w by %s", ErrContradiction, after-before)
	}
	return after, before, nil
}

// elapsed bounds how much this machine's clock advances while the other one's does by some time, which is
// below 0 for one that lies before.
func (r Relation) elapsed(other time.Duration) (least, most time.Duration, ok bool) {
	if other > farthest || other < -farthest {
		return 0, 0, false
	}
	slow, fast := float64(other)/(1+r.drift), float64(other)/(1-r.drift)
	return time.Duration(math.Floor(min(slow, fast))) - 1, time.Duration(math.Ceil(max(slow, fast))) + 1, true
}

// Interval returns the bounds on this machine's clock of something that happened after one instant and
// before another on the other machine's clock: each is widened by what is not known of the clocks.
func (r Relation) Interval(after, before time.Duration) (from, to time.Duration, err error) {
	if from, _, err = r.At(after); err != nil {
		return 0, 0, err
	}
	if _, to, err = r.At(before); err != nil {
		return 0, 0, err
	}
	return from, to, nil
}
