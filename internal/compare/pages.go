package compare

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"mirror/internal/origin"
	"mirror/internal/origin/pages"
)

// Found is the pages to compare.
type Found struct {
	Paths []string // decoded, below each origin's base, sorted, each once; "" is the home page
	From  string   // how they were found, for people
	Notes []string // what is not among them
	// Unlisted is why the list of pages is unknown; Paths is the home page alone then.
	Unlisted error
	// Unread says by origin why a sitemap that is there could not be read: its pages may be missing
	// in Paths.
	Unread map[string]error
}

// Complete reports whether every list of pages that there is was read.
func (f Found) Complete() bool { return f.Unlisted == nil && len(f.Unread) == 0 }

// ErrNoURL says that what should be a URL of a sitemap is none.
var ErrNoURL = errors.New("is not the URL of a sitemap")

// Search says how pages are looked for.
type Search struct {
	MaxPages int  // 0 for the default
	Crawl    bool // follow links where there are sitemaps, too
}

// Find lists the pages of the origins: those that their sitemaps name, all together, so that
// a page which one of them has forgotten is found missing there, and the sitemaps themselves; where
// none has a sitemap, those to which links lead from the home page of the first origin that answers.
// The home page is always one of them. The error is ctx's.
func Find(ctx context.Context, origins []origin.Endpoint, s Search) (Found, error) {
	l := &lister{origins: origins, options: pages.Listing{Bases: basesOf(origins), MaxPages: s.MaxPages}}
	found := l.listAll(ctx)
	if err := ctx.Err(); err != nil {
		return Found{}, err
	}
	found = found.with([]string{""}, s.MaxPages)
	if l.named == 0 && len(found.Unread) == 0 {
		found.Notes = append(found.Notes, "no origin has a sitemap: pages that nothing links to were not looked at (hint: --pages FILE)")
	} else if l.named > 0 && !s.Crawl {
		found.Notes = append(found.Notes, "styles, scripts and pictures that no sitemap names were not looked at (hint: --crawl)")
		return found, nil
	}
	return crawl(ctx, origins, l.options, found)
}

// FindAt lists the pages that the sitemap at a URL names, wherever that is. The error is
// ErrNoURL or ctx's.
func FindAt(ctx context.Context, at string, origins []origin.Endpoint, maxPages int) (Found, error) {
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return Found{}, fmt.Errorf("%q %w", at, ErrNoURL)
	}
	base := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	client := origin.New(origin.Endpoint{Name: u.Host, URL: base, Style: origins[0].Style, Options: origins[0].Options})
	defer client.Close()
	l, err := pages.ListSitemapAt(ctx, client, []pages.Location{{Path: u.Path[min(1, len(u.Path)):], Query: u.RawQuery}},
		pages.Listing{Bases: basesOf(origins), Site: origins[0].URL, MaxPages: maxPages})
	switch {
	case ctx.Err() != nil:
		return Found{}, ctx.Err()
	case err != nil:
		return unlisted(fmt.Errorf("the sitemap %s cannot be read: %w", at, err)), nil
	case l.Unread != nil:
		return unlisted(fmt.Errorf("the sitemap %s cannot be read: %w", at, l.Unread)), nil
	case len(l.Paths) == 0:
		return unlisted(fmt.Errorf("the sitemap %s names no page below %s", at, origins[0].URL)), nil
	}
	paths := append(l.Paths, "")
	if own, query, ok := pages.PathBelow(basesOf(origins), u); ok && !query {
		paths = append(paths, own)
	}
	return Found{From: "the sitemap " + at, Notes: notesOf(u.Host, l)}.with(paths, maxPages), nil
}

// unlisted is what is left to look at where the pages cannot be listed.
func unlisted(why error) Found {
	return Found{Paths: []string{""}, From: "the home page alone", Unlisted: why}
}

// Named are pages that a person names; the home page is always one of them.
func Named(paths []string, maxPages int) Found {
	return Found{From: "the list"}.with(append(paths, ""), maxPages)
}

func basesOf(origins []origin.Endpoint) (bases []*url.URL) {
	for _, at := range origins {
		bases = append(bases, at.URL)
	}
	return bases
}

// crawl adds what the links of the first origin that answers lead to; of the first that links to
// anything, where one does.
func crawl(ctx context.Context, origins []origin.Endpoint, o pages.Listing, found Found) (Found, error) {
	var failed []error
	var linked pages.Listed
	var by string
	o.Seeds = found.Paths
	for _, at := range origins {
		client := origin.New(at)
		l, err := pages.Crawl(ctx, client, o)
		client.Close()
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", at.Name, err))
			continue
		}
		if by == "" || len(l.Paths) > len(linked.Paths) {
			linked, by = l, at.Name
		}
		if len(l.Paths) > len(o.Seeds) {
			break
		}
	}
	switch {
	case ctx.Err() != nil:
		return Found{}, ctx.Err()
	case by == "":
		return unlisted(fmt.Errorf("the pages cannot be listed: %w", failed[0])), nil
	case found.From != "":
		found.From += " and the links of " + by
	default:
		found.From = "the links of " + by
	}
	found.Notes = append(found.Notes, notesOf(by, linked)...)
	return found.with(linked.Paths, o.MaxPages), nil
}

func notesOf(name string, l pages.Listed) (notes []string) {
	for _, note := range l.Notes {
		notes = append(notes, name+": "+note)
	}
	if l.Queries > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d URLs with a query were not looked at", name, l.Queries))
	}
	return notes
}

// with adds pages.
func (f Found) with(paths []string, most int) Found {
	f.Paths = append(f.Paths, paths...)
	slices.Sort(f.Paths)
	f.Paths = slices.Compact(f.Paths)
	if most > 0 && len(f.Paths) > most {
		f.Notes = append(f.Notes, fmt.Sprintf("only %d of %d pages are looked at (hint: --max-pages)", most, len(f.Paths)))
		f.Paths = f.Paths[:most]
	}
	return f
}
