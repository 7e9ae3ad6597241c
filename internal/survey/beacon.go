// Package survey asks live origins for many pages: workers within an origin's limits, giving up
// on an origin that has fallen silent, reading again what does not agree, and what an origin
// claims to serve. What the answers mean is judged by those who use it: packages check, compare
// and watch.
package survey

import (
	"context"
	"encoding/json"

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
	if path == "" {
		return site.Beacon{}, nil
	}
	text, err := client.FetchBody(ctx, origin.Page{Path: path, URL: client.Endpoint().Style.URLPath(path)})
	if err != nil {
		return site.Beacon{}, err
	}
	var b site.Beacon
	if json.Unmarshal(text, &b) != nil {
		return site.Beacon{}, nil
	}
	if b.Release, err = site.ParseID(string(b.Release)); err != nil {
		return site.Beacon{}, nil
	}
	return b, nil
}
