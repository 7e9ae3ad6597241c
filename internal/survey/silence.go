package survey

import (
	"context"
	"fmt"
	"time"

	"mirror/internal/origin"
)

// Silence says for how long an origin may give nothing before it is not waited for any more.
type Silence struct {
	// For is how long it may be silent. More than one answer's timeout leaves each request its own.
	For time.Duration
	// Over, if not nil, is closed when the time for all of the origin's answers is over. From then on
	// it may be silent for Then: what is on its way may end, and an origin that answers is read on.
	Over <-chan struct{}
	Then time.Duration
}

// UntilSilent returns a context that ends when the client has got nothing from its origin for as
// long as s says, with the reason as its cause. Nothing means no whole answer, and no body faster
// than origin.MinBodyRate. A client that keeps a rate is given the time of three requests. stop
// ends the context, and has to be called.
func UntilSilent(ctx context.Context, client *origin.Client, s Silence) (inner context.Context, stop func()) {
	inner, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.listen(inner, client); err != nil {
			cancel(err)
		}
	}()
	return inner, func() { cancel(nil); <-ended }
}

// listen returns when ctx ends, nil then, or the origin is silent.
func (s Silence) listen(ctx context.Context, client *origin.Client) error {
	window := atLeast(client, s.For)
	timer := time.NewTimer(window)
	defer timer.Stop()
	for over := s.Over; ; {
		answers, bytes := client.Received()
		select {
		case <-ctx.Done():
			return nil
		case <-over:
			over, window = nil, atLeast(client, s.Then)
		case <-timer.C:
			nowAnswers, nowBytes := client.Received()
			if nowAnswers == answers && float64(nowBytes-bytes) < origin.MinBodyRate*window.Seconds() {
				return silent(client, window)
			}
		}
		timer.Reset(window)
	}
}

// atLeast leaves a client the time of three requests at its rate.
func atLeast(client *origin.Client, window time.Duration) time.Duration {
	const requests = 3
	if rate := client.Endpoint().Rate; rate > 0 {
		window = max(window, time.Duration(requests/rate*float64(time.Second)))
	}
	return window
}

// silent is the error of an origin that gave nothing for a while, with the last request's.
func silent(client *origin.Client, window time.Duration) error {
	err := fmt.Errorf("%w: nothing came for %s", origin.TimedOut, window)
	if last := client.LastFailure(); last != nil {
		return fmt.Errorf("%w; the last request: %w", err, last)
	}
	return err
}
