package pages

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"mirror/internal/origin"
)

// Home is what an origin's home page says of the site.
type Home struct {
	Sitemaps []Location // that <link rel="sitemap"> names
	// Production is the base URL that the home page names as the site's own (canonical link, og:url or
	// base element), where that is on another host; nil for none.
	Production *url.URL
	Err        error // why there was no answer
}

// ReadHome reads the origin's home page, or the page that it redirects to within the origin.
func ReadHome(ctx context.Context, c *origin.Client, o Listing) Home {
	own := newOwnership(c.Endpoint().URL, o.Bases)
	path := ""
	for range maxHops + 1 {
		at := own.at(path)
		var head homeHead
		obs, err := stream(ctx, c, pageAt(c, path), maxLinkedFile, isHTML, func(h http.Header, r io.Reader) error {
			head = homeHead{base: at}
			return head.read(decoded(r, h.Get("Content-Type")))
		})
		if obs.Status == 0 {
			return Home{Err: err}
		}
		to, redirects := own.landing(at, obs.Header.Get("Location"))
		if obs.Status/100 != 3 || !redirects || to == path {
			return head.home(own, path)
		}
		path = to
	}
	return Home{}
}

func isHTML(h http.Header) bool {
	mediaType := strings.ToLower(h.Get("Content-Type"))
	return mediaType == "" || strings.HasPrefix(mediaType, "text/html") || strings.HasPrefix(mediaType, "application/xhtml")
}

// homeHead is what the head of a home page names.
type homeHead struct {
	base      *url.URL
	based     bool
	sitemaps  []*url.URL
	canonical *url.URL
	graph     *url.URL // og:url
}

// maxHomeSitemaps bounds the sitemaps that a home page names.
const maxHomeSitemaps = 100

func (h *homeHead) read(r io.Reader) error {
	z := html.NewTokenizer(r)
	z.SetMaxBuf(maxLinkedFile)
	for {
		switch z.Next() {
		case html.ErrorToken:
			return nil // what was read of it counts
		case html.StartTagToken, html.SelfClosingTagToken:
			h.element(z.Token())
		}
	}
}

func (h *homeHead) element(t html.Token) {
	attr := map[string]string{}
	for _, a := range t.Attr {
		if _, ok := attr[a.Key]; !ok { // the first counts
			attr[a.Key] = strings.TrimSpace(a.Val)
		}
	}
	switch t.DataAtom {
	case atom.Base:
		if u, err := h.base.Parse(attr["href"]); err == nil && attr["href"] != "" && !h.based {
			h.base, h.based = u, true
		}
	case atom.Meta:
		if u, err := url.Parse(attr["content"]); err == nil && strings.EqualFold(attr["property"], "og:url") && h.graph == nil {
			h.graph = u
		}
	case atom.Link:
		h.link(attr["rel"], attr["href"])
	}
}

func (h *homeHead) link(rel, href string) {
	u, err := h.base.Parse(href)
	if err != nil || href == "" {
		return
	}
	for relation := range strings.FieldsSeq(strings.ToLower(rel)) {
		switch {
		case relation == "sitemap" && len(h.sitemaps) < maxHomeSitemaps:
			h.sitemaps = append(h.sitemaps, u)
		case relation == "canonical" && h.canonical == nil:
			h.canonical = u
		}
	}
}

// home is what the head of the page at a path says.
func (h *homeHead) home(own ownership, path string) Home {
	var home Home
	for _, u := range h.sitemaps {
		if path, query, ok := own.path(u.String()); ok {
			home.Sitemaps = append(home.Sitemaps, Location{path, query})
		}
	}
	for _, u := range []*url.URL{h.canonical, h.graph} {
		if base := own.production(u, path); base != nil && home.Production == nil {
			home.Production = base
		}
	}
	if h.based && home.Production == nil {
		home.Production = own.production(h.base, "")
	}
	return home
}
