package redirects

import (
	"fmt"
	"html"
	"strings"
)

// Page is the page that stands for a rule.
type Page struct {
	Rule
	Path string // in the site
}

// Location is where the page leads to: a URL, or a path relative to the page, so that a site below a path
// of its host, such as /repo/, works too.
func (p Page) Location() string {
	if !strings.HasPrefix(p.To, "/") {
		return p.To
	}
	up := strings.Repeat("../", strings.Count(p.Path, "/"))
	if to := up + strings.TrimPrefix(p.To, "/"); to != "" && !strings.HasPrefix(to, "?") && !strings.HasPrefix(to, "#") {
		return escapeColon(to)
	}
	return "./" + strings.TrimPrefix(p.To, "/")
}

// escapeColon keeps a first segment with a colon from being read as a URL's scheme.
func escapeColon(relative string) string {
	first, _, _ := strings.Cut(relative, "/")
	if strings.Contains(first, ":") {
		return "./" + relative
	}
	return relative
}

// HTML is the page: browsers go on at once, and search engines take the canonical link of a permanent
// redirect.
func (p Page) HTML() []byte {
	to := html.EscapeString(p.Location())
	about := fmt.Sprintf("<link rel=\"canonical\" href=\"%s\">", to)
	if p.Status != 301 && p.Status != 308 {
		about = "<meta name=\"robots\" content=\"noindex\">"
	}
	return fmt.Appendf(nil, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Moved</title>\n%s\n"+
		"<meta http-equiv=\"refresh\" content=\"0; url=%s\"></head>\n<body><p>This page has moved to <a href=\"%s\">%s</a>.</p></body></html>\n", about, to, to, to)
}
