package pages

import (
	"context"
	"net/http"
	"strings"

	"mirror/internal/origin"
)

// usualSitemaps are the paths at which generators write a sitemap: the usual one, Astro's, that of
// Yoast for WordPress, the packed and the text form (sitemaps.org), and that of WordPress itself.
func usualSitemaps() []string {
	return []string{"sitemap.xml", "sitemap-index.xml", "sitemap_index.xml", "sitemap.xml.gz", "sitemap.txt", "wp-sitemap.xml"}
}

// ListSitemap lists the pages that the origin's sitemaps name: those that its robots.txt or a
// <link rel="sitemap"> of its home page names, else the first that is there of the usual paths.
// Indexes, gzip, plain text, RSS and Atom are understood (sitemaps.org). Mirrors often name the
// main host, so the path counts and an unknown host does not.
//
// The error is ErrNoSitemap where none is there, why the origin gave no answer, or ctx's. Sitemaps
// that are there and cannot be read are Listed.Unread.
func ListSitemap(ctx context.Context, c *origin.Client, home Home, o Listing) (Listed, error) {
	robots, err := robotsSitemaps(ctx, c, o)
	if err != nil && home.Err != nil {
		return Listed{}, home.Err
	}
	w := newSitemapWalk(c, o)
	w.enqueue(append(robots, home.Sitemaps...), 0)
	w.run(ctx)
	for _, usual := range usualSitemaps() {
		if w.found > 0 || ctx.Err() != nil {
			break
		}
		w.guess(ctx, usual)
	}
	return w.result(ctx)
}

// ListSitemapAt lists the pages that the sitemaps at these locations below the origin's base name.
func ListSitemapAt(ctx context.Context, c *origin.Client, at []Location, o Listing) (Listed, error) {
	w := newSitemapWalk(c, o)
	w.enqueue(at, 0)
	w.run(ctx)
	return w.result(ctx)
}

// robotsSitemaps returns the locations of the sitemaps that robots.txt names (RFC 9309 leaves
// the line to sitemaps.org). The error says that there was no answer; without a robots.txt, or with
// one that cannot be read, there are none.
func robotsSitemaps(ctx context.Context, c *origin.Client, o Listing) ([]Location, error) {
	text, status, err := fetchText(ctx, c, "robots.txt")
	if err != nil && status == 0 {
		return nil, err
	}
	if err != nil || status != http.StatusOK {
		return nil, nil
	}
	own := newOwnership(c.Endpoint().URL, o.Bases)
	var named []Location
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "\ufeff"), "#") // a comment (RFC 9309, section 2.2)
		key, value, ok := strings.Cut(line, ":")
		if !ok || !strings.EqualFold(strings.TrimSpace(key), "sitemap") || len(named) >= maxSitemapFiles {
			continue
		}
		if path, query, ok := own.path(strings.TrimSpace(value)); ok {
			named = append(named, Location{path, query})
		}
	}
	return named, nil
}

// guess takes in the sitemap at a path that nothing names, where one is there.
func (w *sitemapWalk) guess(ctx context.Context, path string) {
	at := Location{Path: path}
	if w.seen[at] {
		return
	}
	w.seen[at] = true
	status, err := w.read(ctx, sitemapFile{at, 0})
	switch {
	case err == nil:
		w.found++
		w.run(ctx) // what an index names
	case status == 0 && ctx.Err() == nil:
		w.fail(at, err)
	case status/100 == 4 && status != http.StatusTooManyRequests, w.isUnknown(ctx, status, err):
	default:
		w.fail(at, err)
	}
}
