package diff

import (
	"net/http"
	"strings"

	"mirror/site"
)

// download is the rendering of what browsers store and do not show.
const download = "download"

// renderedAs is what a browser makes of the page at path, so far as it changes the page: servers
// name the type of a picture, or of what is stored anyway, in ways that do not. attached says that
// Content-Disposition has it stored.
func renderedAs(path, contentType string, attached bool) string {
	own, _ := typeOf(site.ContentType(path, nil))
	sent, charset := typeOf(contentType)
	as := taken(own, sent)
	if attached && (as != "" || roleOf(own) != "") {
		return download
	}
	if as == "" || as == download || charset == "" || charset == "utf-8" || charset == "us-ascii" {
		return as
	}
	return as + " in " + charset
}

// taken is what a browser takes a file for, by the type that its name calls for and the one
// that is sent; "" where all that is sent comes to the same.
func taken(own, sent string) string {
	role := roleOf(sent)
	if role == "image" {
		role = ""
	}
	switch {
	case role != "":
		return role
	case roleOf(own) == "image" && strings.HasPrefix(sent, "text/"):
		return "text"
	case shown(own) != "" && shown(sent) == "":
		return download
	case shown(own) != "":
		return shown(sent)
	}
	return ""
}

// shown is how a browser shows what visitors open by itself and is no page, "" for what it
// stores. A server may call a feed XML of any kind.
func shown(mediaType string) string {
	switch {
	case mediaType == "application/pdf":
		return "PDF"
	case mediaType == "text/xml", mediaType == "application/xml", strings.HasSuffix(mediaType, "+xml"):
		return "XML"
	case mediaType == "text/csv", mediaType == "text/calendar", mediaType == "text/markdown": // which some of them store
		return ""
	case strings.HasPrefix(mediaType, "text/"):
		return "text"
	}
	return ""
}

// typeOf parts a Content-Type into its media type and charset, in lower case.
func typeOf(contentType string) (mediaType, charset string) {
	mediaType, params, _ := strings.Cut(strings.ToLower(contentType), ";")
	_, charset, _ = strings.Cut(params, "charset=")
	charset, _, _ = strings.Cut(charset, ";")
	return strings.TrimSpace(mediaType), strings.Trim(charset, `"' `)
}

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
