package lab

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// website serves a bucket as S3's website endpoints do: an index document for folders, an
// error document, each object with the headers that it was stored with. What mirror keeps
// for itself is not public.
type website struct{ bucket *bucket }

const (
	indexDocument = "index.html"
	errorDocument = "404.html"
	private       = ".mirror/"
)

// servedHeaders are those of an object's headers that the website sends.
var servedHeaders = [...]string{"Content-Type", "Content-Encoding", "Content-Language", "Content-Disposition", "Cache-Control", "Expires"}

// ServeHTTP answers a visitor.
func (s *website) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/")
	if key == "" || strings.HasSuffix(key, "/") {
		key += indexDocument
	}
	o := s.shown(key)
	switch {
	case o != nil:
		s.serve(w, r, o)
	case s.shown(key+"/"+indexDocument) != nil:
		w.Header().Set("Location", (&url.URL{Path: "/" + key + "/"}).EscapedPath())
		w.WriteHeader(http.StatusFound)
	default:
		s.notFound(w, r)
	}
}

func (s *website) shown(key string) *s3Object {
	if strings.HasPrefix(key, private) {
		return nil
	}
	return s.bucket.shown(key)
}

func (s *website) serve(w http.ResponseWriter, r *http.Request, o *s3Object) {
	if to := o.meta["X-Amz-Website-Redirect-Location"]; to != "" {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	setHeaders(w.Header(), o)
	w.Header().Set("Etag", `"`+hex.EncodeToString(o.md5)+`"`)
	http.ServeContent(w, r, "", time.Time{}, s.bucket.spool.Open(o.at))
}

func setHeaders(h http.Header, o *s3Object) {
	h.Set("Content-Type", "binary/octet-stream") // S3's default
	for _, name := range servedHeaders {
		if value := o.meta[name]; value != "" {
			h.Set(name, value)
		}
	}
}

func (s *website) notFound(w http.ResponseWriter, r *http.Request) {
	o := s.shown(errorDocument)
	if o == nil {
		http.Error(w, "404 Not Found: NoSuchKey", http.StatusNotFound)
		return
	}
	setHeaders(w.Header(), o)
	w.WriteHeader(http.StatusNotFound)
	if r.Method == http.MethodGet {
		_, _ = io.Copy(w, s.bucket.spool.Open(o.at)) // the visitor has gone: nobody is left to tell
	}
}
