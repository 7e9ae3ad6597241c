package compare

import (
	"net/url"
	"strings"

	"mirror/diff"
	"mirror/site"
)

// leads returns where an answer of the site at base leads elsewhere, by a redirect or by a page with a Refresh
// header: as it was sent, and as leadsTo has it.
func leads(base *url.URL, o site.Observation) (location, target string, away bool) {
	if o.Status/100 == 3 {
		location = o.Header.Get("Location")
	} else {
		location = diff.RefreshTo(o.Header.Get("Refresh"))
	}
	if location == "" {
		return "", "", false
	}
	target, away = leadsTo(base, o.URL, location)
	if self, _ := leadsTo(base, o.URL, ""); o.Status/100 != 3 && target == self {
		return "", "", false
	}
	return location, target, away
}

// leadsTo returns where a redirect leads: below base where it stays there, so that
// it can be compared between origins, else as a whole URL.
func leadsTo(base *url.URL, from, location string) (target string, away bool) {
	at, err := url.Parse(from)
	if err != nil {
		return location, true
	}
	to, err := at.Parse(location)
	if err != nil {
		return location, true
	}
	if !strings.EqualFold(to.Hostname(), base.Hostname()) || portOf(to) != portOf(base) {
		return to.String(), true
	}
	target = "/" + to.EscapedPath()
	if below, ok := strings.CutPrefix(to.Path, base.Path); ok {
		target = (&url.URL{Path: below}).EscapedPath()
	}
	if to.Scheme != base.Scheme {
		target = to.Scheme + ":" + target
	}
	if to.RawQuery != "" {
		target += "?" + to.RawQuery
	}
	return "./" + target, false
}

// portOf is a URL's port, "" for those that http and https have by themselves.
func portOf(u *url.URL) string {
	if p := u.Port(); p != "80" && p != "443" {
		return p
	}
	return ""
}
