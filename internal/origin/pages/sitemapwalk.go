// Package pages lists the pages of a site at an origin: from its sitemaps, or by following the
// links of its HTML and CSS. What it reads was made by others, so everything is bounded.
package pages

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"mirror/internal/origin"
	"mirror/internal/origin/pages/sitemap"
)

// Bounds of what is read to list an origin's pages.
const (
	maxSitemapFiles = 1000
	maxSitemapDepth = 3 // an index may name indexes, though none should
	maxListed       = 1_000_000
)

// sitemapWalk reads sitemaps one after another.
type sitemapWalk struct {
	client   *origin.Client
	own      ownership // of sitemaps
	site     ownership // of pages
	limit    int
	queue    []sitemapFile
	seen     map[Location]bool
	sitemaps map[string]bool // paths of those that are there and have no query
	pages    map[string]bool
	hosts    map[string]int // pages by the host that is none of the bases
	found    int            // sitemaps that are there, those that cannot be read included
	unknown  int            // status of the answer for a path that does not exist, 0 before it is known
	unread   unread
	listed   Listed
}

type sitemapFile struct {
	at    Location
	depth int // below the sitemap that is named elsewhere
}

func newSitemapWalk(c *origin.Client, o Listing) *sitemapWalk {
	w := &sitemapWalk{
		client: c, own: newOwnership(c.Endpoint().URL, o.Bases), site: newOwnership(cmp.Or(o.Site, c.Endpoint().URL), o.Bases),
		limit: o.MaxPages, seen: map[Location]bool{}, sitemaps: map[string]bool{}, pages: map[string]bool{}, hosts: map[string]int{},
	}
	if w.limit <= 0 {
		w.limit = maxListed
	}
	return w
}

func (w *sitemapWalk) enqueue(all []Location, depth int) {
	for _, at := range all {
		switch {
		case w.seen[at]:
		case depth > maxSitemapDepth:
			w.listed.note("sitemap indexes within each other deeper than %d were not read", maxSitemapDepth)
		case len(w.seen) >= maxSitemapFiles:
			w.listed.note("only the first %d sitemaps were read", maxSitemapFiles)
		default:
			w.seen[at] = true
			w.queue = append(w.queue, sitemapFile{at, depth})
		}
	}
}

// run reads the sitemaps that wait to be read, and those that they name.
func (w *sitemapWalk) run(ctx context.Context) {
	for len(w.queue) > 0 && ctx.Err() == nil {
		next := w.queue[0]
		w.queue = w.queue[1:]
		status, err := w.read(ctx, next)
		switch {
		case err == nil:
			w.found++
		case ctx.Err() != nil:
		case status == http.StatusNotFound || status == http.StatusGone || w.isUnknown(ctx, status, err):
			w.missing(next)
		default:
			w.fail(next.at, err)
		}
	}
}

// result is what was found.
func (w *sitemapWalk) result(ctx context.Context) (Listed, error) {
	switch {
	case ctx.Err() != nil:
		return Listed{}, ctx.Err()
	case w.found == 0:
		return w.listed, ErrNoSitemap
	}
	w.listed.Paths, w.listed.Sitemaps = sortedKeys(w.pages), sortedKeys(w.sitemaps)
	w.listed.Unread = w.unread.err()
	w.listed.Production = w.production()
	return w.listed, nil
}

// read takes one sitemap in, all of it or nothing. The status is that of the first answer.
func (w *sitemapWalk) read(ctx context.Context, f sitemapFile) (status int, err error) {
	at := f.at
	for hop := range maxHops + 1 {
		var doc sitemap.File
		page := pageAt(w.client, at.Path)
		if at.Query != "" {
			page.URL += "?" + at.Query
		}
		o, err := stream(ctx, w.client, page, sitemap.Bytes, anyHeader, func(_ http.Header, r io.Reader) (err error) {
			doc, err = sitemap.Parse(r)
			return err
		})
		if hop == 0 {
			status = o.Status
		}
		if to, ok := w.own.landing(w.own.at(at.Path), o.Header.Get("Location")); ok && o.Status/100 == 3 && to != at.Path && hop < maxHops {
			at = Location{Path: to}
			w.seen[at] = true
			continue
		}
		switch {
		case o.Status/100 == 3:
			return status, fmt.Errorf("it redirects to %q, which is no sitemap of this site", o.Header.Get("Location"))
		case o.Status != 0 && o.Status != http.StatusOK:
			return status, fmt.Errorf("answered %d", o.Status)
		case err != nil:
			return status, err
		}
		w.there(f.at)
		w.take(sitemapFile{at, f.depth}, doc)
		return status, nil
	}
	return status, nil
}

// take takes in what a sitemap names.
func (w *sitemapWalk) take(f sitemapFile, doc sitemap.File) {
	w.there(f.at)
	if n := len(doc.Pages) + len(doc.Sitemaps); n > sitemap.URLs {
		w.listed.note("%s names %d URLs, and search engines read %d of a file", f.at, n, sitemap.URLs)
	}
	if doc.Cut {
		w.listed.note("%s names more than %d URLs; the rest was not looked at", f.at, sitemap.MaxURLs)
	}
	var nested []Location
	for _, loc := range doc.Sitemaps {
		if path, query, ok := w.own.path(loc); ok {
			nested = append(nested, Location{path, query})
		} else {
			w.unread.add(f.at, fmt.Errorf("it names %q, which is not below this site and was not read", loc))
		}
	}
	w.enqueue(nested, f.depth+1)
	w.add(doc.Pages)
}

// maxHosts bounds how many hosts are counted.
const maxHosts = 16

func (w *sitemapWalk) add(locations []string) {
	for _, loc := range locations {
		path, query, ok := w.site.path(loc)
		w.count(loc)
		switch {
		case !ok:
			w.listed.Outside++
		case query != "":
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

// count counts the host of a URL, "" for those of the site.
func (w *sitemapWalk) count(location string) {
	u, err := url.Parse(location)
	if err != nil || u.Host != "" && u.Scheme != "http" && u.Scheme != "https" {
		return
	}
	host := ""
	if base := w.site.production(u, ""); base != nil {
		host = base.Scheme + "://" + base.Host
	}
	if _, ok := w.hosts[host]; ok || len(w.hosts) < maxHosts {
		w.hosts[strings.Clone(host)]++
	}
}

// production is the base of the host that most URLs name, nil where that is a known one.
func (w *sitemapWalk) production() *url.URL {
	most := ""
	for _, host := range sortedKeys(w.hosts) {
		if w.hosts[host] > w.hosts[most] {
			most = host
		}
	}
	if most == "" {
		return nil
	}
	base, err := url.Parse(most + w.site.base.EscapedPath())
	if err != nil {
		return nil
	}
	return base
}

// isUnknown reports whether an answer is that for a path that does not exist: many sites answer
// every path with a page and 200, with a redirect, with 403 or with 500. An origin that is
// overloaded says nothing of the path.
func (w *sitemapWalk) isUnknown(ctx context.Context, status int, err error) bool {
	switch status {
	case 0, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false
	case http.StatusOK:
		if !errors.Is(err, sitemap.ErrNotASitemap) {
			return false
		}
	}
	if w.unknown == 0 {
		name := "mirror-" + rand.Text() + ".xml"
		_, w.unknown, _ = fetchText(ctx, w.client, name)
	}
	return w.unknown == status
}

// fail remembers that a sitemap is there and cannot be read.
func (w *sitemapWalk) fail(at Location, err error) {
	w.found++
	w.there(at)
	w.unread.add(at, err)
}

// there remembers that a sitemap is there. What is given by a query is not compared.
func (w *sitemapWalk) there(at Location) {
	if at.Query == "" {
		w.sitemaps[at.Path] = true
	}
}

// missing tells of a sitemap that is named and is not there. What an index names belongs to the
// list of pages; robots.txt often names what a generator has never written.
func (w *sitemapWalk) missing(f sitemapFile) {
	if f.depth > 0 {
		w.fail(f.at, errors.New("an index names it, and it is not there"))
		return
	}
	w.listed.note("%s is named as a sitemap and is not there", f.at)
}

func anyHeader(http.Header) bool { return true }
