package site

import (
	"bytes"
	"path"
	"strings"
)

// contentTypes is by lower-case extension. It is our own table, so that a release gets
// the same types from whatever machine it is published.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8", ".xhtml": "application/xhtml+xml",
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".cjs": "text/javascript; charset=utf-8", ".wasm": "application/wasm",
	".json": "application/json", ".map": "application/json", ".jsonld": "application/ld+json",
	".geojson": "application/geo+json", ".webmanifest": "application/manifest+json",
	".xml": "application/xml", ".xsl": "application/xml", ".rss": "application/rss+xml", ".atom": "application/atom+xml",
	".txt": "text/plain; charset=utf-8", ".md": "text/markdown; charset=utf-8", ".csv": "text/csv; charset=utf-8",
	".ics": "text/calendar; charset=utf-8", ".vtt": "text/vtt; charset=utf-8", ".yaml": "application/yaml", ".yml": "application/yaml",
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
	".webp": "image/webp", ".avif": "image/avif", ".ico": "image/x-icon", ".bmp": "image/bmp", ".apng": "image/apng",
	".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf", ".eot": "application/vnd.ms-fontobject",
	".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".wav": "audio/wav", ".m4a": "audio/mp4", ".flac": "audio/flac",
	".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".ogv": "video/ogg", ".mov": "video/quicktime",
	".pdf": "application/pdf", ".zip": "application/zip", ".gz": "application/gzip", ".tar": "application/x-tar",
	".epub": "application/epub+zip", ".pf_fragment": "application/octet-stream",
}

// sniffLength is how much of a file ContentType looks at.
const sniffLength = 512

// ContentType returns the media type to serve a file with: by its extension, and for a
// name without one text/html where head, the file's first bytes, begins as HTML does.
func ContentType(name string, head []byte) string {
	ext := extension(name)
	if t, ok := contentTypes[ext]; ok {
		return t
	}
	if ext == "" && looksLikeHTML(head) {
		return contentTypes[".html"]
	}
	return "application/octet-stream"
}

// extension is the part of a name that servers go by: a dot that begins the name begins no
// extension.
func extension(name string) string {
	return strings.ToLower(path.Ext(strings.TrimLeft(path.Base(name), ".")))
}

func looksLikeHTML(head []byte) bool {
	head = bytes.ToLower(bytes.TrimLeft(head[:min(len(head), sniffLength)], "\ufeff \t\r\n"))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// IsPage reports whether a path names a page that visitors open, as opposed to an asset
// that pages refer to.
func IsPage(name string) bool {
	switch extension(name) {
	case ".html", ".htm", ".xhtml", "":
		return true
	}
	return false
}
