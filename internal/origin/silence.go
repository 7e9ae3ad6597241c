package origin

import (
	"context"
	"fmt"
	"time"
)

// Silence says for how long an origin may give nothing before nobody waits for it any more.
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
// than the slowest that is waited for. A client that keeps a rate is given the time of three
// requests. stop ends the context, and has to be called.
func (c *Client) UntilSilent(ctx context.Context, s Silence) (inner context.Context, stop func()) {
	inner, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := c.hear(inner, s); err != nil {
			cancel(err)
		}
	}()
	return inner, func() { cancel(nil); <-ended }
}

// hear listens until ctx ends, or the origin is silent.
func (c *Client) hear(ctx context.Context, s Silence) error {
	window := c.atLeast(s.For)
	timer := time.NewTimer(window)
	defer timer.Stop()
	for over := s.Over; ; {
		answers, bytes := c.answers.Load(), c.bytes.Load()
		select {
		case <-ctx.Done():
			return nil
		case <-over:
			over, window = nil, c.atLeast(s.Then)
		case <-timer.C:
			if c.answers.Load() == answers && float64(c.bytes.Load()-bytes) < slowest*window.Seconds() {
				return c.silence(window)
			}
		}
		timer.Reset(window)
	}
}

// atLeast leaves a client the time of three requests at its rate.
func (c *Client) atLeast(window time.Duration) time.Duration {
	const requests = 3
	if c.options.Rate > 0 {
		window = max(window, time.Duration(requests/c.options.Rate*float64(time.Second)))
	}
	return window
}

// silence is the error of an origin that gave nothing for a while, with the last request's.
func (c *Client) silence(window time.Duration) error {
	err := fail(TimedOut, fmt.Sprintf("nothing came for %s", window), nil)
	if last := c.failed.Load(); last != nil {
		return fmt.Errorf("%w; the last request: %w", err, *last)
	}
	return err
}
