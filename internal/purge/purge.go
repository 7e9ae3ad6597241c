// Package purge removes pages from the caches that stand in front of a live origin: Cloudflare,
// CloudFront, Fastly, Varnish and caches like it, or any other by a webhook.
//
// A Cache sends one batch of URLs. A Job sends what one publish changes, hears what is then answered
// through the caches, and purges again what they still answer with old bytes.
package purge

import (
	"context"
	"net/url"

	"mirror/site"
)

// Batch is what is to be removed at once.
type Batch struct {
	Origin  string // name of the origin in the config
	Site    *url.URL
	Release site.ID  // that is live now
	URLs    []string // absolute, percent-encoded
	Again   int      // how often some of it was purged before
}

// Cache removes pages from one cache, or from all of a service's.
type Cache interface {
	// Purge removes the URLs of a batch, and returns when the cache or service has confirmed that it was
	// done. It may be repeated. After an error some URLs may still be cached. It returns how many requests it sent.
	Purge(ctx context.Context, b Batch) (requests int, err error)
}
