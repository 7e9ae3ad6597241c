// Package survey asks live origins for many pages: workers within an origin's limits, giving up
// on an origin that has fallen silent, reading again what does not agree, and what an origin
// claims to serve. What the answers mean is judged by those who use it: packages check, compare
// and watch.
package survey

import (
	"context"

	"mirror/internal/origin"
	"mirror/site"
)

// Claim returns what the origin claims to serve; a claim is no proof, so an origin
// without one, or with one that cannot be read, just claims nothing.
func Claim(ctx context.Context, client *origin.Client, path string) site.Beacon {
	b, _ := ReadClaim(ctx, client, path) // without an answer there is no claim either
	return b
}

// ReadClaim is Claim, with the error of a request that was not answered with 200.
func ReadClaim(ctx context.Context, client *origin.Client, path string) (site.Beacon, error) {
	return readClaim(ctx, client, path, false)
}

// ClaimPastCaches is Claim behind the caches: it leaves nothing under the beacon's own URL.
func ClaimPastCaches(ctx context.Context, client *origin.Client, path string) site.Beacon {
	b, _ := readClaim(ctx, client, path, true) // as in Claim
	return b
}

func readClaim(ctx context.Context, client *origin.Client, path string, past bool) (site.Beacon, error) {
	if path == "" {
		return site.Beacon{}, nil
	}
	text, err := client.FetchBody(ctx, origin.Page{Path: path, URL: client.Endpoint().Style.URLPath(path), BypassCache: past})
	if err != nil {
		return site.Beacon{}, err
	}
	b, err := site.ParseBeacon(text)
	if err != nil { // it is no beacon
		return site.Beacon{}, nil
	}
	return b, nil
}
