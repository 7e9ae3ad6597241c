package front

import (
	"context"
	"errors"

	"mirror/internal/front/blobs"
	"mirror/internal/front/upstream"
	"mirror/site"
)

// contentOf returns the verified content of a page, and whether it came from the cache or an origin. Close
// it after use.
func (f *Front) contentOf(ctx context.Context, e *edition, p *page) (c blobs.Content, from string, err error) {
	if c, ok := f.store.Get(p.file.Digest); ok {
		f.counts.cached.Add(1)
		p.remember(c)
		return c, "cache", nil
	}
	fl, err := f.flights.join(p.file.Digest, func(ctx context.Context) (blobs.Content, error) { return f.fetch(ctx, e, p) })
	if err != nil {
		return blobs.Content{}, "", err
	}
	select {
	case <-ctx.Done():
		f.flights.leave(fl)
		return blobs.Content{}, "", ctx.Err()
	case <-fl.done:
		return fl.content, "origin", fl.err
	}
}

// fetch gets a content from the origins.
func (f *Front) fetch(ctx context.Context, e *edition, p *page) (blobs.Content, error) {
	select {
	case f.flights.places <- struct{}{}:
		defer func() { <-f.flights.places }()
	case <-ctx.Done():
		return blobs.Content{}, ctx.Err()
	}
	if p.file.Size > f.options.MaxVerified {
		return blobs.Content{}, errTooLarge
	}
	c, _, err := f.origins.Fetch(ctx, upstream.Want{File: p.file, Limit: f.options.MaxVerified, Rank: f.rank(e.release)}, f.store)
	if err != nil {
		return blobs.Content{}, err
	}
	f.counts.fetched.Add(1)
	p.remember(c)
	return c, nil
}

var errTooLarge = errors.New("the file is larger than what is verified whole (hint: front.max_verified)")

// rank orders the origins for a release: those that hold it, those that answer, and the others.
func (f *Front) rank(id site.ID) func(i int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	ranks := make([]int, len(f.views))
	for i, v := range f.views {
		switch {
		case v.held == id:
		case v.answers || !v.asked:
			ranks[i] = 1
		default:
			ranks[i] = 2
		}
	}
	return func(i int) int { return ranks[i] }
}

// remember keeps a small content with its page, so that the next visitor gets it without a lock.
func (p *page) remember(c blobs.Content) {
	if c.Blob != nil && p.blob.Load() != c.Blob {
		p.blob.Store(c.Blob)
	}
}
