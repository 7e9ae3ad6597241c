package diff

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"mirror/site"
)

// judgeRedirect agrees with a redirect only where the page stands for it, where it shows that a removed path is gone, or
// where a folder's name leads elsewhere on the same host, as to the folder.
func judgeRedirect(want Expectation, o site.Observation, d *Difference) bool {
	d.Kind, d.Location = Redirected, o.Header.Get("Location")
	d.Detail = fmt.Sprintf("answered %d", o.Status)
	from, err := url.Parse(o.URL)
	if err != nil {
		return false
	}
	to, err := from.Parse(d.Location)
	switch {
	case err == nil && want.leadsTo(from, to):
		return true
	case d.Location == "":
		d.Detail += " and no Location"
	case err != nil:
		d.Detail += ", to an invalid URL"
	case to.Scheme != "http" && to.Scheme != "https":
		d.Detail += ", to what is no page of the web"
	case leaksHost(from, to):
		d.Detail += ", and leaks the name of another host, " + to.Host
	case !strings.EqualFold(to.Host, from.Host):
		d.Detail += ", away to the host " + to.Host
	case want.Folder, want.gone(o):
		return true
	case want.Absent:
		d.Detail += ", back to the removed page"
	case to.Scheme != from.Scheme:
		d.Detail += ", to " + to.Scheme
	default:
		d.Detail += ", elsewhere on the same host (hint: clean_urls and index say how the origin names its pages)"
	}
	return false
}

// leadsTo reports whether a redirect is the one that the file stands for.
func (e Expectation) leadsTo(page, to *url.URL) bool {
	if e.Redirect == "" {
		return false
	}
	wanted, err := page.Parse(e.Redirect)
	return err == nil && wanted.String() == to.String()
}

// leaksHost reports whether a redirect shows a host that visitors should not see: the same
// page, or its folder, under the name that a backend has for itself.
func leaksHost(from, to *url.URL) bool {
	if strings.EqualFold(to.Host, from.Host) {
		return false
	}
	return to.Path == from.Path+"/" || isPrivate(to.Hostname()) && !isPrivate(from.Hostname())
}

// isPrivate reports whether a host cannot be reached from elsewhere: an address that is not
// routed (RFC 1918, RFC 4193, RFC 3927), or a name without a public suffix (RFC 6761, RFC 6762).
func isPrivate(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast()
	}
	for _, suffix := range []string{".local", ".internal", ".localhost", ".lan", ".svc"} {
		if strings.HasSuffix(strings.ToLower(host), suffix) {
			return true
		}
	}
	return !strings.Contains(host, ".")
}
