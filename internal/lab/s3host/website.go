package s3host

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

// visit is one request to it.
type visit struct {
	*bucket
	shown func(key string) *object
}

const (
	indexDocument = "index.html"
	errorDocument = "404.html"
	private       = ".mirror/"
)

// servedHeaders are those of an object's headers that the website sends.
var servedHeaders = [...]string{"Content-Type", "Content-Encoding", "Content-Language", "Content-Disposition", "Cache-Control", "Expires"}

// ServeHTTP answers a visitor.
func (s *website) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{s.bucket, s.bucket.visible.Meet(w, r)}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/")
	if key == "" || strings.HasSuffix(key, "/") {
		key += indexDocument
	}
	o := v.shown(key)
	switch {
	case o != nil:
		v.serve(w, r, o)
	case v.shown(key+"/"+indexDocument) != nil:
		w.Header().Set("Location", (&url.URL{Path: "/" + key + "/"}).EscapedPath())
		w.WriteHeader(http.StatusFound)
	default:
		v.notFound(w, r)
	}
}

func (v *visit) serve(w http.ResponseWriter, r *http.Request, o *object) {
	if to := o.meta["X-Amz-Website-Redirect-Location"]; to != "" {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	setHeaders(w.Header(), o)
	w.Header().Set("Etag", `"`+hex.EncodeToString(o.md5)+`"`)
	http.ServeContent(w, r, "", time.Time{}, v.spool.Open(o.at))
}

func setHeaders(h http.Header, o *object) {
	h.Set("Content-Type", "binary/octet-stream") // S3's default
	for _, name := range servedHeaders {
		if value := o.meta[name]; value != "" {
			h.Set(name, value)
		}
	}
}

func (v *visit) notFound(w http.ResponseWriter, r *http.Request) {
	o := v.shown(errorDocument)
	if o == nil {
		http.Error(w, "404 Not Found: NoSuchKey", http.StatusNotFound)
		return
	}
	setHeaders(w.Header(), o)
	w.WriteHeader(http.StatusNotFound)
	if r.Method == http.MethodGet {
		_, _ = io.Copy(w, v.spool.Open(o.at)) // an error means that the visitor has gone
	}
}
