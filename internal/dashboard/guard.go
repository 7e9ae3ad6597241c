package dashboard

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"mirror/internal/netname"
)

// policy is the Content-Security-Policy: nothing but our own stylesheet, script, icon and
// event stream, no frame around it, no form.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard refuses names that are not ours, and sets what browsers are to hold every answer to.
func (d *Dashboard) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		if !d.options.knows(r.Host) {
			http.Error(w, "this is not served under that name (hint: name it among the daemon's hosts)", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, d.access.seeing(r))
	})
}

// knows reports whether a Host header names us. A page of another site can make its own
// name point here, but not a plain address, and neither localhost nor a name below it, which browsers
// never ask a resolver for (RFC 6761).
func (o Options) knows(host string) bool {
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	return netname.IsLoopback(name) || slices.Contains(o.Hosts, "*") ||
		slices.ContainsFunc(o.Hosts, func(h string) bool { return name != "" && strings.EqualFold(h, name) })
}
