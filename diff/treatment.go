package diff

import (
	"net/http"
	"strings"
)

// Attached reports whether browsers store a page and do not show it (RFC 6266, section 4.2).
func Attached(header http.Header) bool {
	kind, _, _ := strings.Cut(header.Get("Content-Disposition"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "attachment")
}

// RefreshTo returns where a Refresh header leads, as it spells it: "0; url=other.html", which
// browsers read as they do the element of that name (HTML, section 4.2.5.3). It is "" for one
// that only loads the page again.
func RefreshTo(value string) string {
	rest := strings.TrimLeft(strings.TrimSpace(value), "0123456789.")
	rest = strings.TrimSpace(rest)
	if strings.HasPrefix(rest, ";") || strings.HasPrefix(rest, ",") {
		rest = strings.TrimSpace(rest[1:])
	}
	if name, to, ok := strings.Cut(rest, "="); ok && strings.EqualFold(strings.TrimSpace(name), "url") {
		rest = strings.TrimSpace(to)
	}
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		rest, _, _ = strings.Cut(rest[1:], rest[:1])
	}
	return strings.TrimSpace(rest)
}
