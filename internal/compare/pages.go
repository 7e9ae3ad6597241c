package compare

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"

	"mirror/internal/origin"
	"mirror/internal/origin/pages"
)

// Found is the pages to compare.
type Found struct {
	Paths []string // decoded, below each origin's base, sorted, each once; "" is the home page
	From  string   // how they were found, for people
	Notes []string // what is not among them
	// Unlisted is why nobody knows which pages there are; Paths is the home page alone then.
	Unlisted error
}

// ErrNoURL says that what should be a URL of a sitemap is none.
var ErrNoURL = errors.New("is no URL of a sitemap")

// Search says how pages are looked for.
type Search struct {
	MaxPages int  // 0 for the default
	Crawl    bool // follow links where there are sitemaps, too
}

// Find lists the pages of the origins: those that their sitemaps name, all together, so that
// a page which one of them has forgotten is found missing there; where none has a sitemap,
// those to which links lead from the home page of the first origin that answers. The error
// is ctx's.
func Find(ctx context.Context, origins []origin.Endpoint, s Search) (Found, error) {
	o := pages.Listing{Bases: basesOf(origins), MaxPages: s.MaxPages}
	found := listAll(ctx, origins, o)
	if err := ctx.Err(); err != nil {
		return Found{}, err
	}
	found = found.with([]string{""}, s.MaxPages)
	if len(found.Paths) == 1 {
		found.Notes = append(found.Notes, "no origin has a sitemap: pages that nothing links to were not looked at (hint: --pages FILE)")
	} else if !s.Crawl {
		found.Notes = append(found.Notes, "styles, scripts and pictures that no sitemap names were not looked at (hint: --crawl)")
		return found, nil
	}
	return crawl(ctx, origins, o, found)
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
	l, err := pages.ListSitemapAt(ctx, client, []string{u.Path[min(1, len(u.Path)):]},
		pages.Listing{Bases: basesOf(origins), Site: origins[0].URL, MaxPages: maxPages})
	switch {
	case ctx.Err() != nil:
		return Found{}, ctx.Err()
	case err != nil:
		return unlisted(fmt.Errorf("the sitemap %s cannot be read: %w", at, err)), nil
	case len(l.Paths) == 0:
		return unlisted(fmt.Errorf("the sitemap %s names no page below %s", at, origins[0].URL)), nil
	}
	return Found{From: "the sitemap " + at, Notes: notesOf(u.Host, l)}.with(append(l.Paths, ""), maxPages), nil
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

// listAll reads the sitemaps of all origins at once.
func listAll(ctx context.Context, origins []origin.Endpoint, o pages.Listing) (found Found) {
	lists, errs := make([]pages.Listed, len(origins)), make([]error, len(origins))
	var all sync.WaitGroup
	for i, at := range origins {
		all.Go(func() {
			client := origin.New(at)
			defer client.Close()
			lists[i], errs[i] = pages.ListSitemap(ctx, client, o)
		})
	}
	all.Wait()
	read := 0
	for i, l := range lists {
		switch {
		case errs[i] == nil:
			read++
			found.Notes = append(found.Notes, notesOf(origins[i].Name, l)...)
			if l.Outside > 0 {
				found.Notes = append(found.Notes, fmt.Sprintf("%s: %d URLs of the sitemap lead elsewhere and were not looked at", origins[i].Name, l.Outside))
			}
			found = found.with(l.Paths, o.MaxPages)
		case !errors.Is(errs[i], pages.ErrNoSitemap):
			found.Notes = append(found.Notes, fmt.Sprintf("%s has no usable sitemap: %v", origins[i].Name, errs[i]))
		}
		lists[i] = pages.Listed{} // the union has it
	}
	found.From = fmt.Sprintf("the sitemaps of %d of %d origins", read, len(origins))
	return found
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
	case len(o.Seeds) > 1:
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
