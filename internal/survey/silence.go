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

// listen returns when ctx ends, nil then, or the origin is silent. Refusals by which it limits
// requests, and the time for which it asks to be left alone, are no silence until s.Over.
func (s Silence) listen(ctx context.Context, client *origin.Client) error {
	over, then := s.Over, false
	window := s.window(client, then)
	timer := time.NewTimer(window)
	defer timer.Stop()
	for {
		answers, bytes := client.Received()
		refusals := client.Refusals()
		select {
		case <-ctx.Done():
			return nil
		case <-over:
			over, then = nil, true
		case <-timer.C:
			nowAnswers, nowBytes := client.Received()
			limited := !then && (client.Refusals() > refusals || client.Held() > 0)
			if nowAnswers == answers && !limited && float64(nowBytes-bytes) < origin.MinBodyRate*window.Seconds() {
				return silent(client, window)
			}
		}
		window = s.window(client, then)
		timer.Reset(window)
	}
}

// window is how long the client is waited for, at least for the time of three requests at its rate.
// Over a limit that was met it is not, once the time is over.
func (s Silence) window(client *origin.Client, then bool) time.Duration {
	const requests = 3
	window, rate := s.For+client.Held(), client.Rate()
	if then {
		window = s.Then
	}
	if then && client.Refuses() {
		rate = client.Endpoint().Rate
	}
	if rate > 0 {
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
