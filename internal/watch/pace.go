package watch

import (
	"time"

	"mirror/internal/origin"
)

// The pace of a watch.
const (
	// Confirm is how many new answers settle a page; those after the first are asked for
	// on connections of their own.
	Confirm = 2
	// unlimited is how many requests a second an origin gets that has no limit of its own.
	unlimited = 500
	// calm is how often the beacon is asked for while no barrier waits.
	calm = time.Second
	// quick is how often what a barrier waits for is asked for at most, and quickShare the
	// part of the rate that this may take.
	quick      = 10 * time.Millisecond
	quickShare = 4
	// freshEach has every so manieth request go on a connection of its own, so that one
	// warm edge cannot stand for all.
	freshEach = 8
	// patient is how many requests in a row may fail before an origin that is down gets one request
	// after another, with pauses that double up to pausesEnd: short enough to notice soon that it is up.
	patient   = 8
	pausesEnd = 200 * time.Millisecond
)

// pauseAfter is the pause after so many requests in a row that failed.
func pauseAfter(failed int) time.Duration {
	if failed < patient {
		return 0
	}
	return min(pausesEnd, quick<<min(failed-patient, 8))
}

// paced gives an origin without a rate of its own that of a watch.
func paced(at origin.Endpoint) origin.Endpoint {
	if at.Rate == 0 {
		at.Rate, at.Pace = unlimited, nil
	}
	if at.Pace == nil {
		at.Pace = origin.NewPace(at.Rate)
	}
	return at
}
