package origin

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"mirror/site"
)

// Observe asks for n pages and gives each answer to see, from several goroutines at once.
// page is asked for each page when its turn comes, so that a large site costs little. An
// answer with which agrees does not agree is asked for again, on a fresh connection, up to
// Confirm times; see then gets the last one, with what was answered past the caches where
// those may be what is old. The error is ctx's: what an origin does wrong is in the
// observations.
func (c *Client) Observe(ctx context.Context, n int, page func(i int) Page, agrees func(i int, o site.Observation) bool, see func(i int, o site.Observation)) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(c.options.Concurrency, n) {
		workers.Go(func() {
			for i := int(next.Add(1) - 1); i < n && ctx.Err() == nil; i = int(next.Add(1) - 1) {
				o := c.confirmed(ctx, page(i), func(o site.Observation) bool { return agrees(i, o) })
				if ctx.Err() == nil {
					see(i, o)
				}
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("check %s: %w", c.endpoint.Name, err)
	}
	return nil
}

// confirmed asks for a page until its answer agrees or has been confirmed.
func (c *Client) confirmed(ctx context.Context, p Page, agrees func(o site.Observation) bool) site.Observation {
	o := c.Fetch(ctx, p)
	for range c.options.Confirm {
		if ctx.Err() != nil || agrees(o) {
			return o
		}
		answered := o.Status != 0
		o = c.FetchFresh(ctx, p)
		o.Recovered = answered && agrees(o)
	}
	if c.endpoint.CDN && c.options.Confirm > 0 && o.Status != 0 && ctx.Err() == nil && !agrees(o) {
		p.Past = true
		past := c.FetchFresh(ctx, p)
		o.PastCaches = &past
	}
	return o
}
