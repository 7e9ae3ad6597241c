// Package render writes the configuration of another proxy that does what it can of a front's
// work: it asks the origins in turn, fails over on errors, timeouts and 5xx and never on 404,
// and takes a redirect to another host, such as a parked one's, for an error.
package render

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"mirror/site"
)

// FirstPort is the first of the ports on 127.0.0.1 on which a rendered proxy reaches itself, one for each
// origin.
const FirstPort = 18181

// Proxy is what a configuration is made of.
type Proxy struct {
	Listen  string   // the address on which visitors are served, such as ":8080"
	Origins []Origin // in the order in which they are asked
	Beacon  string   // the beacon's path, from the root of an origin
	Release site.ID  // what the beacons have to say; "" checks only that they answer
	Ports   []int    // on 127.0.0.1, one for each origin; nil is FirstPort and those after it
	Cache   string   // the folder of nginx's cache; "" is /var/cache/nginx/mirror
	CAs     string   // the file with the certificates of authorities; "" is Debian's
}

// Origin is a host that serves the site below its base URL.
type Origin struct {
	Name string
	URL  *url.URL
}

//go:embed *.tmpl
var sources embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"nested": nested,
	"indent": indent,
}).ParseFS(sources, "*.tmpl"))

// Programs lists the proxies that a configuration can be written for.
func Programs() []string { return []string{"caddy", "haproxy", "nginx"} }

// Config returns the configuration for one of Programs. Errors name what cannot be written safely.
func Config(program string, p Proxy) (string, error) {
	if !slices.Contains(Programs(), program) {
		return "", fmt.Errorf("%q: want one of %s", program, strings.Join(Programs(), ", "))
	}
	view := view{
		Listen: p.Listen, Beacon: p.Beacon, Release: p.Release,
		Cache: orDefault(p.Cache, "/var/cache/nginx/mirror"), CAs: orDefault(p.CAs, "/etc/ssl/certs/ca-certificates.crt"),
	}
	if err := view.validate(); err != nil {
		return "", err
	}
	for i, o := range p.Origins {
		port := FirstPort + i
		if i < len(p.Ports) {
			port = p.Ports[i]
		}
		hop, err := hopTo(o, i, port)
		if err != nil {
			return "", err
		}
		view.Hops = append(view.Hops, hop)
	}
	if len(view.Hops) == 0 {
		return "", errors.New("there is no origin to ask")
	}
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, program+".tmpl", view); err != nil {
		return "", err
	}
	return out.String(), nil
}

// view is what the templates see.
type view struct {
	Listen, Beacon string
	Release        site.ID
	Cache, CAs     string
	Hops           []hop
}

// Backends lists HAProxy's two: the origins whose beacons have the release, and all.
func (view) Backends() []string { return []string{"release", "any"} }

// hop is an origin, reached through a port of the proxy's own: there its host, its certificate and its base
// path are set, and its redirects are rewritten.
type hop struct {
	ID     string // what sections and variables are called: letters, digits and _
	Name   string // for comments
	Local  string // the address on 127.0.0.1
	Scheme string
	Host   string // with the port, as the Host header has it
	Server string // the name alone
	Dial   string // host:port
	Base   string // the path, with a slash at both ends
}

// TLS is whether the origin is reached by https.
func (h hop) TLS() bool { return h.Scheme == "https" }

// Named is whether the host is a name and no address, which TLS cannot name.
func (h hop) Named() bool { return net.ParseIP(h.Server) == nil }

// Prefix is the base path without its last slash.
func (h hop) Prefix() string { return strings.TrimSuffix(h.Base, "/") }

// Own is a regular expression for where redirects of the origin to itself begin.
func (h hop) Own() string {
	return "^(?:https?://" + regexp.QuoteMeta(h.Host) + ")?" + regexp.QuoteMeta(h.Base)
}

// prefix is how the redirects of an origin to itself may begin.
type prefix struct {
	Number int
	Text   string
}

// Prefixes lists how the redirects of the origin to itself may begin.
func (h hop) Prefixes() []prefix {
	return []prefix{{1, "https://" + h.Host + h.Base}, {2, "http://" + h.Host + h.Base}, {3, h.Base}}
}

var (
	plainHost = regexp.MustCompile(`^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$`)
	plainPath = regexp.MustCompile(`^(?:/[A-Za-z0-9._~%-]+)*/?$`)
	plainAddr = regexp.MustCompile(`^(?:[A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$`)
	plainFile = regexp.MustCompile(`^/[A-Za-z0-9._/-]+$`)
	plainID   = regexp.MustCompile(`^[0-9a-f]*$`)
	notPlain  = regexp.MustCompile(`[^A-Za-z0-9]+`)
)

// validate refuses values that would mean something else in a configuration.
func (v view) validate() error {
	for _, c := range []struct {
		name, value string
		plain       *regexp.Regexp
	}{
		{"listen", v.Listen, plainAddr},
		{"beacon", v.Beacon, plainPath},
		{"release", string(v.Release), plainID},
		{"cache", v.Cache, plainFile},
		{"certificates", v.CAs, plainFile},
	} {
		if !c.plain.MatchString(c.value) {
			return fmt.Errorf("%s: %q cannot be written into a proxy's configuration", c.name, c.value)
		}
	}
	return nil
}

// hopTo describes the origin number i, which the proxy reaches through port.
func hopTo(o Origin, i, port int) (hop, error) {
	if o.URL == nil || o.URL.Scheme != "http" && o.URL.Scheme != "https" || !plainHost.MatchString(o.URL.Host) || !plainPath.MatchString(o.URL.EscapedPath()) {
		return hop{}, fmt.Errorf("origin %q: its URL cannot be written into a proxy's configuration", o.Name)
	}
	base := path.Clean("/" + o.URL.EscapedPath())
	if base != "/" {
		base += "/"
	}
	h := hop{
		ID: strings.Trim(fmt.Sprintf("mirror_%d_%s", i+1, notPlain.ReplaceAllString(o.Name, "_")), "_"), Name: notPlain.ReplaceAllString(o.Name, "-"),
		Local: fmt.Sprintf("127.0.0.1:%d", port), Scheme: o.URL.Scheme, Host: o.URL.Host, Server: o.URL.Hostname(), Dial: o.URL.Host, Base: base,
	}
	if o.URL.Port() == "" {
		h.Dial += map[string]string{"http": ":80", "https": ":443"}[h.Scheme]
	}
	return h, nil
}

// nested returns what Caddy does with a request: it asks the first of the hops, and on 5xx the others.
func nested(hops []hop) string {
	if len(hops) == 0 {
		return ""
	}
	text := "reverse_proxy " + hops[0].Local + " {\n\theader_down -Set-Cookie\n\theader_down -Refresh\n"
	if rest := nested(hops[1:]); rest != "" {
		text += "\t@broken status 5xx\n\thandle_response @broken {\n" + indent(indent(rest)) + "\t}\n"
	}
	return text + "}\n"
}

func indent(text string) string {
	return "\t" + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n\t") + "\n"
}

func orDefault(value, other string) string {
	if value == "" {
		return other
	}
	return value
}
