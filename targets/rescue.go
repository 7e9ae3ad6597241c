package targets

import (
	"context"
	"errors"
	"time"
)

// ErrRescued is Rescue's answer when the live revision is a rescue already.
var ErrRescued = errors.New("the release was made live again before")

// Rescuer is a Target whose host deploys each revision once, and may lose a deployment for good: then the
// same bytes need another revision.
type Rescuer interface {
	// RescueAfter returns how long after a commit the deployment counts as lost where the origin does not
	// show the release, 0 for never. slowest is the longest lag that was learnt of the origin, 0 where
	// none is known.
	RescueAfter(slowest time.Duration) time.Duration
	// Rescue makes s.To, which is live as s.From, live again under another revision, with the same bytes.
	// It gives ErrRescued where that was done already, ErrTooYoung where the live revision is younger
	// than age, and ErrConflict where something else is live. Each of them has no effect. After any
	// other error the outcome is unknown; what visitors get is the same. It uses up a reservation of s.
	Rescue(ctx context.Context, s Swap, age time.Duration) error
}

// ErrTooYoung is Rescue's answer for a revision whose deployment may still be under way.
var ErrTooYoung = errors.New("the live revision is too young")
