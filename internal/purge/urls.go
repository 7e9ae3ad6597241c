package purge

import (
	"net/url"
	"slices"
	"strings"

	"mirror/diff"
	"mirror/site"
)

// pages lists the paths that a publish changes, and whether each is added or deleted: then the redirect to a
// folder changes too.
func pages(c diff.Changes) map[string]bool {
	all := map[string]bool{}
	for _, path := range c.Change {
		all[path] = false
	}
	for _, path := range slices.Concat(c.Add, c.Delete) {
		all[path] = true
	}
	return all
}

// urlsOf lists the URLs under which an origin may have answered for some pages.
func urlsOf(base *url.URL, style site.URLStyle, pages map[string]bool) []string {
	root := trimSlash((&url.URL{Scheme: base.Scheme, Host: base.Host}).String()) + strings.TrimSuffix(base.EscapedPath(), "/") + "/"
	var all []string
	for path, came := range pages {
		for _, form := range forms(style, path, came) {
			all = append(all, root+form)
			if plain := asBrowsersWrite(form); plain != form {
				all = append(all, root+plain)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// forms lists the URL paths of a page: where the origin serves it, and the file's own path, which most origins
// answer too.
func forms(style site.URLStyle, path string, came bool) []string {
	all := []string{style.URLPath(path), site.URLStyle{NoIndex: true}.URLPath(path)}
	if came && !style.NoIndex && strings.HasSuffix(path, "/index.html") {
		all = append(all, site.FolderPath(path))
	}
	return all
}

// asBrowsersWrite returns a URL path with the characters plain that site.URLStyle encodes and browsers do not
// (RFC 3986, sub-delims), as a cache knows it from visitors. "*" stays encoded: it is a wildcard to some services.
var asBrowsersWrite = strings.NewReplacer(
	"%21", "!", "%24", "$", "%26", "&", "%27", "'", "%28", "(", "%29", ")", "%2B", "+", "%2C", ",", "%3B", ";", "%3D", "=", "%3A", ":", "%40", "@",
).Replace
