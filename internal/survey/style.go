package survey

import (
	"context"
	"net/http"
	"path"
	"strings"

	"mirror/internal/origin"
	"mirror/site"
)

// askedPages is how many pages are asked for to learn an origin's style.
const askedPages = 5

// CleanURLs reports whether an origin serves about.html at /about only: it redirects from the one to
// the other, or has the page's bytes there and answers 404 for the file's name. ok is false where no page
// of the release tells.
func CleanURLs(ctx context.Context, c *origin.Client, m site.Manifest) (clean, ok bool) {
	pages := namedPages(m)
	for _, f := range pages {
		if ctx.Err() != nil {
			return false, false
		}
		base := strings.TrimSuffix(f.Path, ".html")
		o := c.Fetch(ctx, origin.Page{Path: f.Path, URL: site.URLStyle{}.URLPath(f.Path), Size: f.Size})
		switch {
		case o.Status == http.StatusOK:
			return false, true
		case o.Status/100 == 3 && leadsToFile(o, base):
			return true, true
		case o.Status == http.StatusNotFound:
			at := c.Fetch(ctx, origin.Page{Path: f.Path, URL: site.URLStyle{CleanURLs: true}.URLPath(f.Path), Size: f.Size})
			if at.Status == http.StatusOK && at.Err == nil && at.Digest == f.Digest {
				return true, true
			}
		}
	}
	return false, len(pages) == 0
}

// leadsToFile reports whether a redirect leads to the same page without its extension.
func leadsToFile(o site.Observation, base string) bool {
	location, _, _ := strings.Cut(o.Header.Get("Location"), "?")
	name := site.URLStyle{}.URLPath(path.Base(base))
	return location == name || strings.HasSuffix(location, "/"+name)
}

// namedPages lists pages with a name of their own, spread over the site: neither those of folders nor
// the not-found page.
func namedPages(m site.Manifest) []site.File {
	var all []site.File
	for _, f := range m {
		name := path.Base(f.Path)
		if strings.HasSuffix(name, ".html") && name != "index.html" && name != "404.html" && name != ".html" {
			all = append(all, f)
		}
	}
	picked := all[:min(len(all), askedPages)]
	spread := make([]site.File, len(picked))
	for i := range picked {
		spread[i] = all[i*len(all)/len(picked)]
	}
	return spread
}
