package gitconfig

import (
	"net/url"
	"strings"
)

// For returns the values of a setting that git applies to an address, in their order: those of
// <section>.<name>, and those of <section>.<url>.<name> whose url matches. A value of a url that
// matches less than that of an earlier value is left out. See http.<url>.* in git-config(1).
func (c *Config) For(section, name string, address *url.URL) []string {
	section, name = strings.ToLower(section), strings.ToLower(name)
	var values []string
	best := match{}
	for _, s := range c.settings {
		if s.section != section || s.name != name {
			continue
		}
		m, ok := match{}, true
		if s.subsection != "" {
			m, ok = matchURL(s.subsection, address)
		}
		if ok && !m.less(best) {
			best, values = m, append(values, s.value)
		}
	}
	return values
}

// Last is the last value of For, "" for none.
func (c *Config) Last(section, name string, address *url.URL) string {
	values := c.For(section, name, address)
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// match is how much of an address a pattern covers.
type match struct {
	host, path int
	user       bool
}

func (m match) less(o match) bool {
	switch {
	case m.host != o.host:
		return m.host < o.host
	case m.path != o.path:
		return m.path < o.path
	}
	return !m.user && o.user
}

func matchURL(pattern string, address *url.URL) (m match, ok bool) {
	p, err := url.Parse(pattern)
	if err != nil || !strings.EqualFold(p.Scheme, address.Scheme) || port(p) != port(address) {
		return m, false
	}
	if !matchHost(strings.ToLower(p.Hostname()), strings.ToLower(address.Hostname())) {
		return m, false
	}
	if p.User != nil {
		if address.User == nil || p.User.Username() != address.User.Username() {
			return m, false
		}
		m.user = true
	}
	have, want := strings.TrimSuffix(address.Path, "/")+"/", strings.TrimSuffix(p.Path, "/")+"/"
	m.host, m.path = len(p.Hostname()), len(want)
	return m, strings.HasPrefix(have, want)
}

// matchHost compares label by label; * stands for one.
func matchHost(pattern, host string) bool {
	want, have := strings.Split(pattern, "."), strings.Split(host, ".")
	if len(want) != len(have) {
		return false
	}
	for i, label := range want {
		if label != "*" && label != have[i] {
			return false
		}
	}
	return true
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	case u.Scheme == "http":
		return "80"
	}
	return ""
}
