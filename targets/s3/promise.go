package s3

import "net/http"

// Header returns the value that the config's rules give a file as one response header, "" where
// none does.
func (c Config) Header(path, name string) string {
	h := ruled(c.Headers, path, headers{})
	switch http.CanonicalHeaderKey(name) {
	case "Cache-Control":
		return h.Cache
	case "Content-Encoding":
		return h.Encoding
	}
	return ""
}
