package diff

import (
	"fmt"
	"mime"
	"strings"

	"mirror/site"
)

// judgeType tells whether a browser treats a page served as contentType as it treats one
// of the type that its name calls for. Servers differ in harmless ways (text/javascript or
// application/javascript; octet-stream for what is downloaded anyway), so only what
// changes the page counts: a document, style, script or picture that is no such thing, a
// download in its place, a charset that garbles it.
func judgeType(path, contentType string) (detail string, ok bool) {
	want := site.ContentType(path, nil)
	role := roleOf(want)
	got, params, err := mime.ParseMediaType(contentType)
	switch {
	case role == "" && isNamed(want) && roleOf(got) == "document":
		return fmt.Sprintf("Content-Type %s, want %s: shown as a page", contentType, want), false
	case role == "":
		return "", true
	case contentType == "":
		return fmt.Sprintf("no Content-Type, want %s", want), false
	case err != nil && got == "":
		return fmt.Sprintf("Content-Type %q is malformed, want %s", contentType, want), false
	case role == "image" && isPicture(got):
	case roleOf(got) != role:
		return fmt.Sprintf("Content-Type %s, want %s", contentType, want), false
	}
	if charset := strings.ToLower(params["charset"]); charset != "" && charset != "utf-8" && charset != "us-ascii" {
		return fmt.Sprintf("charset %s, want utf-8", charset), false
	}
	return "", true
}

// isNamed reports whether a file's name says what is in it.
func isNamed(want string) bool {
	return want != "" && !strings.HasPrefix(want, "application/octet-stream")
}

// isPicture reports whether browsers show a picture of such a type: they go by its bytes,
// unless it claims to be text.
func isPicture(mediaType string) bool {
	return strings.HasPrefix(mediaType, "image/") && roleOf(mediaType) != "vector image" || mediaType == "application/octet-stream"
}

// roleOf is what a browser takes a media type for, "" where nothing hangs on it.
func roleOf(mediaType string) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	switch mediaType {
	case "text/html":
		return "document"
	case "application/xhtml+xml": // which stops at the first mistake
		return "XML document"
	case "text/css":
		return "style"
	case "text/javascript", "application/javascript", "application/x-javascript", "application/ecmascript", "text/ecmascript":
		return "script"
	case "application/wasm":
		return "wasm"
	case "image/svg+xml":
		return "vector image"
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return "image"
	}
	return ""
}
