package site

import "strings"

// URLStyle is how an origin maps a site's paths to URLs.
type URLStyle struct {
	CleanURLs bool // about.html is served at /about
	NoIndex   bool // the origin has no folder indexes: a/index.html is served at that very path
}

// URLPath returns the path below the origin's base URL, percent-encoded, at which the
// origin serves a file. The folder of an index.html keeps its trailing slash; the site's
// own index.html is "".
func (s URLStyle) URLPath(path string) string {
	if !s.NoIndex {
		if path == "index.html" {
			return ""
		}
		if dir, ok := strings.CutSuffix(path, "/index.html"); ok {
			return escape(dir) + "/"
		}
	}
	if s.CleanURLs {
		path = strings.TrimSuffix(path, ".html")
	}
	return escape(path)
}

// escape percent-encodes all but RFC 3986's unreserved characters and the slashes that
// part the segments: "+" too, which some S3 services read as a space.
func escape(path string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		switch c := path[i]; {
		case c == '/', isUnreserved(c):
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// FolderPath returns the URL path of an index.html's folder without the last slash: servers with
// folder indexes lead from there to the page, whatever their style is else.
func FolderPath(path string) string { return escape(strings.TrimSuffix(path, "/index.html")) }
