package compare

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"mirror/internal/origin"
	"mirror/internal/origin/pages"
)

// lister reads the sitemaps of all origins.
type lister struct {
	origins []origin.Endpoint
	options pages.Listing // with the bases under which the site is named, once they are known
	named   int           // pages that sitemaps name
}

// listAll reads the sitemaps of all origins at once.
func (l *lister) listAll(ctx context.Context) Found {
	clients := make([]*origin.Client, len(l.origins))
	for i, at := range l.origins {
		clients[i] = origin.New(at)
		defer clients[i].Close()
	}
	homes := l.readHomes(ctx, clients)
	lists, errs := make([]pages.Listed, len(clients)), make([]error, len(clients))
	var all sync.WaitGroup
	for i, client := range clients {
		all.Go(func() { lists[i], errs[i] = pages.ListSitemap(ctx, client, homes[i], l.options) })
	}
	all.Wait()
	found, read := Found{Unread: map[string]error{}}, 0
	for i, listed := range lists {
		if errs[i] == nil && (listed.Unread == nil || len(listed.Paths) > 0) {
			read++
		}
		l.note(&found, l.origins[i].Name, listed, errs[i])
		l.named += len(listed.Paths)
		l.know(listed.Production)
		found = found.with(listed.Paths, l.options.MaxPages).with(listed.Sitemaps, l.options.MaxPages)
		lists[i] = pages.Listed{} // the union has it
	}
	if read > 0 {
		found.From = fmt.Sprintf("the sitemaps of %d of %d origins", read, len(l.origins))
	}
	return found
}

// readHomes reads the home pages, and learns from them under which other host the site is named.
func (l *lister) readHomes(ctx context.Context, clients []*origin.Client) []pages.Home {
	homes := make([]pages.Home, len(clients))
	var all sync.WaitGroup
	for i, client := range clients {
		all.Go(func() { homes[i] = pages.ReadHome(ctx, client, l.options) })
	}
	all.Wait()
	for _, home := range homes {
		l.know(home.Production)
	}
	return homes
}

// note adds what is to be said of one origin's sitemaps.
func (l *lister) note(found *Found, name string, listed pages.Listed, err error) {
	found.Notes = append(found.Notes, notesOf(name, listed)...)
	if listed.Outside > 0 {
		found.Notes = append(found.Notes, fmt.Sprintf("%s: %d URLs of the sitemap lead elsewhere and were not looked at", name, listed.Outside))
	}
	if listed.Unread != nil {
		found.Unread[name] = fmt.Errorf("the sitemap cannot be read: %w (hint: mend it, or name the pages with --pages or --sitemap)", listed.Unread)
	}
	if err != nil && !errors.Is(err, pages.ErrNoSitemap) {
		found.Notes = append(found.Notes, fmt.Sprintf("%s has no usable sitemap: %v", name, err))
	}
}

// maxProductions bounds under how many other hosts the site may be named.
const maxProductions = 8

// know adds the base of a host under which the site is named, with and without www.
func (l *lister) know(production *url.URL) {
	if production == nil || len(l.options.Bases) >= len(l.origins)+2*maxProductions {
		return
	}
	twin := *production
	if host, ok := strings.CutPrefix(strings.ToLower(twin.Host), "www."); ok {
		twin.Host = host
	} else {
		twin.Host = "www." + twin.Host
	}
	l.options.Bases = append(l.options.Bases, production, &twin)
}
