// Package pages lists the pages of a site at an origin: from its sitemaps, or by following the
// links of its HTML and CSS. What it reads was made by others, so everything is bounded.
package pages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mirror/internal/origin"
)

// Bounds of what is read to list an origin's pages.
const (
	maxSitemapFiles = 1000
	maxSitemapDepth = 3 // an index may name indexes, though none should
	maxListed       = 1_000_000
)

// ErrNoSitemap says that an origin has no sitemap.
var ErrNoSitemap = errors.New("there is no sitemap")

// Listing bounds a listing of an origin's pages and says what belongs to the origin.
type Listing struct {
	// Bases are all base URLs under which the site is named: links to them are links to the
	// origin's own pages. The origin's own comes by itself.
	Bases []*url.URL
	// Site is the base that pages are below where the sitemap is another origin's; nil for
	// the origin's own.
	Site *url.URL
	// MaxPages bounds how many pages are listed; 0 for the default.
	MaxPages int
	// Seeds are pages whose links a crawl follows beside the home page's.
	Seeds []string
}

// Listed is what was found of an origin's pages.
type Listed struct {
	Paths   []string // decoded, below the origin's base, sorted, each once
	Queries int      // links left out for their query
	Outside int      // left out since they lead below another base, or cannot be a page's URL
	Notes   []string // what a bound cut off or could not be read
}

func (l *Listed) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(l.Notes, text) {
		l.Notes = append(l.Notes, text)
	}
}

// Sitemap returns the pages that the origin's sitemap names, as decoded paths below the
// origin's base, each once.
func Sitemap(ctx context.Context, c *origin.Client) ([]string, error) {
	l, err := ListSitemap(ctx, c, Listing{})
	return l.Paths, err
}

// ListSitemap lists the pages that the origin's sitemaps name: those that its robots.txt
// names, else sitemap.xml. Indexes, gzip and plain text are understood (sitemaps.org).
// Mirrors often name the main host, so the path counts and an unknown host does not. The
// error is ErrNoSitemap, or says why none could be read; what could not be read beside
// others is a note.
func ListSitemap(ctx context.Context, c *origin.Client, o Listing) (Listed, error) {
	named := robotsSitemaps(ctx, c, o)
	if len(named) == 0 {
		named = []string{"sitemap.xml"}
	}
	return ListSitemapAt(ctx, c, named, o)
}

// ListSitemapAt lists the pages that the sitemaps at these paths below the origin's base name.
func ListSitemapAt(ctx context.Context, c *origin.Client, paths []string, o Listing) (Listed, error) {
	w := &sitemapWalk{client: c, own: newOwnership(c.Endpoint().URL, o.Bases), site: newOwnership(cmp.Or(o.Site, c.Endpoint().URL), o.Bases),
		limit: o.MaxPages, seen: map[string]bool{}, pages: map[string]bool{}}
	if w.limit <= 0 {
		w.limit = maxListed
	}
	w.enqueue(paths, 0)
	var first error
	read := 0
	for len(w.queue) > 0 && ctx.Err() == nil {
		next := w.queue[0]
		w.queue = w.queue[1:]
		err := w.read(ctx, next)
		if err == nil {
			read++
			continue
		}
		if first == nil {
			first = fmt.Errorf("%s: %w", next.path, err)
		}
		w.listed.note("%s could not be read, so pages that only it names go unseen: %v", next.path, err)
	}
	if err := ctx.Err(); err != nil {
		return Listed{}, err
	}
	if read == 0 {
		return Listed{}, first
	}
	w.listed.Paths = sortedKeys(w.pages)
	return w.listed, nil
}

// robotsSitemaps returns the paths of the sitemaps that robots.txt names (RFC 9309 leaves
// the line to sitemaps.org). Without one, or with one that cannot be read, there are none.
func robotsSitemaps(ctx context.Context, c *origin.Client, o Listing) []string {
	text, err := c.FetchBody(ctx, origin.Page{Path: "robots.txt", URL: "robots.txt"})
	if err != nil {
		return nil
	}
	own := newOwnership(c.Endpoint().URL, o.Bases)
	var paths []string
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(strings.TrimPrefix(line, "\ufeff"), ":")
		if !ok || !strings.EqualFold(strings.TrimSpace(key), "sitemap") || len(paths) >= maxSitemapFiles {
			continue
		}
		if path, _, ok := own.path(strings.TrimSpace(value)); ok {
			paths = append(paths, path)
		}
	}
	return paths
}

// sitemapWalk reads sitemaps one after another.
type sitemapWalk struct {
	client *origin.Client
	own    ownership // of sitemaps
	site   ownership // of pages
	limit  int
	queue  []sitemapFile
	seen   map[string]bool // sitemaps by path
	pages  map[string]bool
	listed Listed
}

type sitemapFile struct {
	path  string
	depth int
}

func (w *sitemapWalk) enqueue(paths []string, depth int) {
	for _, path := range paths {
		switch {
		case w.seen[path]:
		case depth > maxSitemapDepth:
			w.listed.note("sitemap indexes within each other deeper than %d were not read", maxSitemapDepth)
		case len(w.seen) >= maxSitemapFiles:
			w.listed.note("only the first %d sitemaps were read", maxSitemapFiles)
		default:
			w.seen[path] = true
			w.queue = append(w.queue, sitemapFile{path, depth})
		}
	}
}

// read takes one sitemap in, all of it or nothing.
func (w *sitemapWalk) read(ctx context.Context, f sitemapFile) error {
	var doc sitemap
	o, err := stream(ctx, w.client, f.path, maxSitemapBytes, anyHeader, func(r io.Reader) error {
		doc = sitemap{}
		return doc.parse(r)
	})
	switch {
	case o.Status == http.StatusNotFound || o.Status == http.StatusGone:
		return ErrNoSitemap
	case o.Status != 0 && o.Status != http.StatusOK:
		return fmt.Errorf("answered %d", o.Status)
	case err != nil:
		return err
	}
	if doc.cut {
		w.listed.note("%s names more than %d URLs; the rest was not looked at", f.path, maxSitemapURLs)
	}
	var nested []string
	for _, loc := range doc.sitemaps {
		if path, _, ok := w.own.path(loc); ok {
			nested = append(nested, path)
		} else {
			w.listed.note("the sitemap %q is elsewhere and was not read", loc)
		}
	}
	w.enqueue(nested, f.depth+1)
	w.add(doc.pages)
	return nil
}

func (w *sitemapWalk) add(locations []string) {
	for _, loc := range locations {
		path, query, ok := w.site.path(loc)
		switch {
		case !ok:
			w.listed.Outside++
		case query:
			w.listed.Queries++
		case w.pages[path]:
		case len(w.pages) >= w.limit:
			w.listed.note("only the first %d pages of the sitemap were looked at (hint: --max-pages)", w.limit)
			return
		default:
			w.pages[strings.Clone(path)] = true // not all of the URL that it is part of
		}
	}
}

func anyHeader(http.Header) bool { return true }
