package origin

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxSitemap bounds how many pages a sitemap may name: what the protocol allows one file
// (sitemaps.org, "Sitemap file limits").
const maxSitemap = 50_000

// Sitemap returns the pages that the origin's sitemap.xml names, as decoded paths below
// the origin's base, each once. Pages elsewhere are passed over: mirrors often name the
// main host, so the path counts and the host does not.
func (c *Client) Sitemap(ctx context.Context) ([]string, error) {
	text, err := c.Body(ctx, Page{Path: "sitemap.xml", URL: "sitemap.xml", Size: 50 << 20})
	if err != nil {
		return nil, fmt.Errorf("sitemap.xml: %w", err)
	}
	var doc struct {
		Locations []string `xml:"url>loc"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("sitemap.xml: %w", err)
	}
	var paths []string
	for _, loc := range doc.Locations[:min(len(doc.Locations), maxSitemap)] {
		u, err := url.Parse(strings.TrimSpace(loc))
		if err != nil {
			continue
		}
		if path, ok := strings.CutPrefix(u.Path, c.origin.URL.Path); ok {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}
