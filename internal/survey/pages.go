package survey

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"mirror/internal/origin"
	"mirror/site"
)

// Each calls do for each index from one up to another, by as many workers, until ctx ends. It
// returns when the last call has returned.
func Each(ctx context.Context, workers, from, to int, do func(i int)) {
	var next atomic.Int64
	next.Store(int64(from))
	var all sync.WaitGroup
	for range min(max(workers, 1), to-from) {
		all.Go(func() {
			for i := int(next.Add(1) - 1); i < to && ctx.Err() == nil; i = int(next.Add(1) - 1) {
				do(i)
			}
		})
	}
	all.Wait()
}

// Pages asks for n pages and gives each answer to see, from several goroutines at once. page is
// asked for each page when its turn comes, so that a large site costs little. An answer with which
// agrees does not agree is asked for again, on a fresh connection, up to Confirm times; see then
// gets the last one, with what was answered when the caches were bypassed where those may be what
// is old. The error is ctx's: what an origin does wrong is in the observations.
func Pages(ctx context.Context, client *origin.Client, n int, page func(i int) origin.Page, agrees func(i int, o site.Observation) bool, see func(i int, o site.Observation)) error {
	Each(ctx, client.Concurrency(), 0, n, func(i int) {
		o := confirmed(ctx, client, page(i), func(o site.Observation) bool { return agrees(i, o) })
		if ctx.Err() == nil {
			see(i, o)
		}
	})
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("check %s: %w", client.Endpoint().Name, err)
	}
	return nil
}

// AnyAnswer agrees with every answer, so that no page is asked for twice.
func AnyAnswer(int, site.Observation) bool { return true }

// confirmed asks for a page until its answer agrees or has been confirmed.
func confirmed(ctx context.Context, client *origin.Client, p origin.Page, agrees func(o site.Observation) bool) site.Observation {
	at := client.Endpoint()
	o := client.Fetch(ctx, p)
	for range at.Confirm {
		if ctx.Err() != nil || agrees(o) {
			return o
		}
		answered := o.Status != 0
		o = client.FetchFresh(ctx, p)
		o.Recovered = answered && agrees(o)
	}
	if at.CDN && at.Confirm > 0 && o.Status != 0 && ctx.Err() == nil && !agrees(o) && client.PastCaches() > 0 {
		p.BypassCache = true
		if direct := client.FetchFresh(ctx, p); !errors.Is(direct.Err, origin.ErrNoUnique) {
			o.PastCaches = &direct
		}
	}
	return o
}

// Nonexistent returns the URL, below an origin's base, of a page that never existed: another one
// on each call, so that no cache and no earlier request knows it.
func Nonexistent() string { return "mirror-" + rand.Text() + ".html" }
