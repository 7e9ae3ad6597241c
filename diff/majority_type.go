package diff

import (
	"strings"

	"mirror/site"
)

// download is the treatment of what browsers store and do not show.
const download = "download"

// treatment is what a browser makes of an answer, so far as it changes the page: servers
// name the type of a picture, or of what is stored anyway, in ways that do not.
func (a Answer) treatment(path string) string {
	own, _ := typeOf(site.ContentType(path, nil))
	sent, charset := typeOf(a.Type)
	as := taken(own, sent)
	if a.Attached && (as != "" || roleOf(own) != "") {
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
