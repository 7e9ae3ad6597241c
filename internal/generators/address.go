package generators

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// templateHost matches the hosts that the templates of generators name.
var templateHost = regexp.MustCompile(`(^|\.)(example(\.(com|org|net))?|localhost|your-?(domain|site|docusaurus-site)[\w.-]*|mysite\.com|domain\.com)$`)

// liveURL joins a site's address and a path on its host; "" where that is not a live site.
func liveURL(address, below string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || templateHost.MatchString(strings.ToLower(u.Hostname())) {
		return ""
	}
	if strings.Trim(u.Path, "/") == "" && strings.HasPrefix(below, "/") {
		u.Path = path.Clean(below)
	}
	u.RawQuery, u.Fragment = "", ""
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	return u.String()
}

var domain = regexp.MustCompile(`^(?i)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+$`)

// cname returns the domain in the file CNAME that the build copies into the site, "" for none.
func (p project) cname() string {
	for _, folder := range []string{"public", "static", "source", "docs", "docs/public", "docs/.vitepress/public", "docs/.vuepress/public", ".vuepress/public", "src", "content", "content/extra", "."} {
		name, _, _ := strings.Cut(strings.TrimSpace(p.read(path.Join(folder, "CNAME"))), "\n")
		if name = strings.TrimSpace(name); domain.MatchString(name) {
			return strings.ToLower(name)
		}
	}
	return ""
}
