package pages

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"mirror/internal/origin"
	"mirror/site"
)

// Bounds of a crawl beside the number of pages. A chain of links, as of a calendar that
// always has a next month, ends at maxLinkDepth.
const (
	defaultCrawl = 10_000
	maxLinkDepth = 500
)

// Crawl lists the pages of the site that can be reached by links from its home page, in
// HTML and CSS, at the origin. Links with a query are left out, for what they lead to is
// made on request and often without end; a picture, style or script is asked for without
// it, where it serves to get past caches. The error is ctx's, or says why there is no home page.
func Crawl(ctx context.Context, c *origin.Client, o Listing) (Listed, error) {
	w := &crawl{client: c, own: newOwnership(c.Endpoint().URL, o.Bases), limit: o.MaxPages,
		pages: map[string]bool{"": true}, queries: map[string]bool{}}
	if w.limit <= 0 {
		w.limit = defaultCrawl
	}
	level := []string{""}
	for _, seed := range o.Seeds {
		if w.add(seed) {
			level = append(level, seed)
		}
	}
	for depth := 0; len(level) > 0; depth++ {
		if depth > maxLinkDepth {
			w.listed.note("links were followed %d deep; what lies deeper was not looked at", maxLinkDepth)
			break
		}
		w.follow(ctx, level)
		if err := ctx.Err(); err != nil {
			return Listed{}, err
		}
		if w.home != nil {
			return Listed{}, w.home
		}
		level, w.next = w.next, nil
	}
	w.listed.Paths, w.listed.Queries = sortedKeys(w.pages), len(w.queries)
	return w.listed, nil
}

// crawl is a crawl on its way.
type crawl struct {
	client *origin.Client
	own    ownership
	limit  int

	mu      sync.Mutex
	pages   map[string]bool
	queries map[string]bool // paths left out for their query
	next    []string        // pages of the next level whose links are to be followed
	listed  Listed
	home    error // why the home page gave nothing
}

// follow asks for the pages of one level and takes their links in.
func (w *crawl) follow(ctx context.Context, level []string) {
	turns := make(chan string)
	var workers sync.WaitGroup
	for range min(w.client.Concurrency(), len(level)) {
		workers.Go(func() {
			for path := range turns {
				if ctx.Err() == nil {
					w.visit(ctx, path)
				}
			}
		})
	}
	for _, path := range level {
		turns <- path
	}
	close(turns)
	workers.Wait()
}

// visit takes in the links of one page, and where it redirects to.
func (w *crawl) visit(ctx context.Context, path string) {
	at := w.own.at(path)
	var links []*url.URL
	isCSS := false
	o, err := stream(ctx, w.client, pageAt(w.client, path), maxLinkedFile, func(h http.Header) bool {
		mediaType := strings.ToLower(h.Get("Content-Type"))
		isCSS = strings.HasPrefix(mediaType, "text/css")
		return isCSS || strings.HasPrefix(mediaType, "text/html") || strings.HasPrefix(mediaType, "application/xhtml")
	}, func(h http.Header, r io.Reader) error {
		links = nil
		if isCSS {
			return linksOfCSS(decodedCSS(r, h.Get("Content-Type")), at, &links)
		}
		return linksOfHTML(decoded(r, h.Get("Content-Type")), at, &links)
	})
	if location := o.Header.Get("Location"); location != "" {
		if to, err := at.Parse(location); err == nil {
			links = append(links, to)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case path == "" && o.Status == 0:
		w.home = fmt.Errorf("the home page: %w", o.Err)
	case err != nil:
		w.listed.note("the links of %q could not be read to the end: %v", path, err)
	}
	for _, link := range links {
		w.take(link)
	}
}

// take adds the page that a link leads to.
func (w *crawl) take(link *url.URL) {
	path, query, ok := w.own.link(link)
	switch {
	case !ok:
		w.listed.Outside++
		return
	case query && !isAsset(path):
		if len(w.queries) < w.limit {
			w.queries[path+"?"+link.RawQuery] = true
		}
		return
	}
	if w.add(path) {
		w.next = append(w.next, path)
	}
}

// add adds a page and reports whether its links are to be followed.
func (w *crawl) add(path string) bool {
	switch {
	case w.pages[path]:
		return false
	case len(w.pages) >= w.limit:
		w.listed.note("the crawl ended after %d pages; there are links to more (hint: --max-pages, --pages FILE)", w.limit)
		return false
	}
	w.pages[strings.Clone(path)] = true // not all of the URL that it is part of
	return mayLink(path)
}

// isAsset reports whether a path names what pages embed: a server of files gives it
// whatever the query is.
func isAsset(path string) bool {
	switch mediaType := site.ContentType(path, nil); {
	case strings.HasPrefix(mediaType, "text/html"), mediaType == "application/xhtml+xml", mediaType == "application/octet-stream":
		return false
	}
	return true
}

// mayLink reports whether the file at a path may link to others.
func mayLink(path string) bool {
	return !isAsset(path) || strings.HasPrefix(site.ContentType(path, nil), "text/css")
}
