package lab

import (
	"context"
	"encoding/hex"
	"io"
	"iter"
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
	vantage
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
	v := &visit{s.bucket, s.bucket.front.meet(w, r)}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/")
	if key == "" || strings.HasSuffix(key, "/") {
		key += indexDocument
	}
	o := v.find(key)
	switch {
	case o != nil:
		v.serve(w, r, o)
	case v.find(key+"/"+indexDocument) != nil:
		w.Header().Set("Location", (&url.URL{Path: "/" + key + "/"}).EscapedPath())
		w.WriteHeader(http.StatusFound)
	default:
		v.notFound(w, r)
	}
}

func (v *visit) find(key string) *s3Object {
	if strings.HasPrefix(key, private) {
		return nil
	}
	return v.shown(key, v.vantage)
}

func (v *visit) serve(w http.ResponseWriter, r *http.Request, o *s3Object) {
	if to := o.meta["X-Amz-Website-Redirect-Location"]; to != "" {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	setHeaders(w.Header(), o)
	w.Header().Set("Etag", `"`+hex.EncodeToString(o.md5)+`"`)
	http.ServeContent(w, r, "", time.Time{}, v.spool.Open(o.at))
}

func setHeaders(h http.Header, o *s3Object) {
	h.Set("Content-Type", "binary/octet-stream") // S3's default
	for _, name := range servedHeaders {
		if value := o.meta[name]; value != "" {
			h.Set(name, value)
		}
	}
}

func (v *visit) notFound(w http.ResponseWriter, r *http.Request) {
	o := v.find(errorDocument)
	if o == nil {
		http.Error(w, "404 Not Found: NoSuchKey", http.StatusNotFound)
		return
	}
	setHeaders(w.Header(), o)
	w.WriteHeader(http.StatusNotFound)
	if r.Method == http.MethodGet {
		_, _ = io.Copy(w, v.spool.Open(o.at)) // the visitor has gone: nobody is left to tell
	}
}

// settle waits until every cache shows all that was written, but for those that are stuck.
func (s *website) settle(ctx context.Context) error {
	for {
		wait := time.Until(s.turned())
		if wait <= 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// turned is when the last cache turns to the last of what was written.
func (s *website) turned() time.Time {
	s.bucket.mu.RLock()
	written := due{from: s.bucket.last}
	s.bucket.mu.RUnlock()
	c := s.bucket.front.current.Load()
	last := written.from
	for _, edge := range c.all() {
		if at, ok := c.turn(edge, written); ok {
			last = later(last, at)
		}
	}
	return last
}

// refresh has nothing to do: whatever was written is kept.
func (s *website) refresh() {}

// editions lists all that was ever written under each key that the website shows.
func (s *website) editions() iter.Seq2[string, []edition] {
	return func(yield func(string, []edition) bool) {
		s.bucket.mu.RLock()
		defer s.bucket.mu.RUnlock()
		for key, versions := range s.bucket.written {
			if !strings.HasPrefix(key, private) && !yield(key, editionsIn(versions)) {
				return
			}
		}
	}
}

func editionsIn(versions []version) []edition {
	all := make([]edition, len(versions))
	for i, v := range versions {
		all[i].due, all[i].noted = v.due, v.noted
		if v.object != nil {
			all[i].digest = v.object.sum
		}
	}
	return all
}
