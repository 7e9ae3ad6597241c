package pages

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// maxPath bounds a decoded path, in bytes.
const maxPath = 2048

// maxHops is how many redirects in a row are followed within an origin.
const maxHops = 3

// ownership tells which URLs are pages of the site.
type ownership struct {
	base  *url.URL
	known []*url.URL // every base under which the site is named
}

func newOwnership(base *url.URL, others []*url.URL) ownership {
	return ownership{base: base, known: append([]*url.URL{base}, others...)}
}

// path returns the decoded path below the site's base of a URL that a sitemap names, and
// its query. Of hosts that are not known only the path counts.
func (o ownership) path(location string) (path, query string, ok bool) {
	u, err := url.Parse(location)
	if err != nil {
		return "", "", false
	}
	u = o.base.ResolveReference(u)
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", "", false
	}
	base := o.baseOf(u)
	if base == nil {
		base = o.base
	}
	path, ok = below(base, u)
	return path, u.RawQuery, ok
}

// link returns the decoded path below the site's base of a URL that a page links to, and
// whether it has a query; ok is false for what is no page of the site.
func (o ownership) link(u *url.URL) (path string, query, ok bool) {
	base := o.baseOf(u)
	if base == nil {
		return "", false, false
	}
	path, ok = below(base, u)
	return path, u.RawQuery != "", ok
}

// PathBelow returns the decoded path of a URL below the longest of the bases that it lies below,
// by http or https, and whether it has a query; ok is false where it lies below none.
func PathBelow(bases []*url.URL, u *url.URL) (path string, query, ok bool) {
	return ownership{known: bases}.link(u)
}

// landing is the path below the base that a redirect leads to.
func (o ownership) landing(at *url.URL, location string) (path string, ok bool) {
	if location == "" {
		return "", false
	}
	to, err := at.Parse(location)
	if err != nil || !sameHost(o.base, to) {
		return "", false
	}
	path, query, ok := o.link(to)
	return path, ok && !query
}

// at is the URL of the page at a path.
func (o ownership) at(path string) *url.URL {
	at := o.base.JoinPath() // a copy
	at.Path, at.RawPath = o.base.Path+path, ""
	return at
}

// production is the base of a site whose page at path has this URL, nil where that is on a known host.
func (o ownership) production(u *url.URL, path string) *url.URL {
	if u == nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil
	}
	for _, known := range o.known {
		if sameHost(known, u) {
			return nil
		}
	}
	base := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	if below, ok := strings.CutSuffix(u.Path, path); ok && strings.HasSuffix(below, "/") {
		base.Path = below
	} else if path == "" {
		base.Path = u.Path[:strings.LastIndexByte(u.Path, '/')+1] // without the name of a file
	}
	if base.Path == "" {
		base.Path = "/"
	}
	return base
}

// baseOf returns the longest known base that a URL lies below, nil for none.
func (o ownership) baseOf(u *url.URL) (longest *url.URL) {
	for _, base := range o.known {
		if sameHost(base, u) && strings.HasPrefix(u.Path+"/", base.Path) && (longest == nil || len(base.Path) > len(longest.Path)) {
			longest = base
		}
	}
	return longest
}

// sameHost compares hosts and not schemes: a site names itself by http and is served by https.
func sameHost(a, b *url.URL) bool {
	return strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" && p != "80" && p != "443" {
		return p
	}
	return ""
}

// below returns the decoded path of a URL below a base. A path that would not come back the
// same, such as one with an escaped slash, is none.
func below(base, u *url.URL) (path string, ok bool) {
	path, ok = strings.CutPrefix(u.Path, base.Path)
	if u.Path+"/" == base.Path {
		path, ok = "", true
	}
	if !ok || strings.Count(u.EscapedPath(), "/") != strings.Count(u.Path, "/") || !IsPath(path) {
		return "", false
	}
	return path, true
}

// IsPath reports whether a decoded path names a page below a base, and leads nowhere else.
func IsPath(path string) bool {
	if len(path) > maxPath || strings.ContainsRune(path, 0) {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

func sortedKeys[V any](set map[string]V) []string { return slices.Sorted(maps.Keys(set)) }
