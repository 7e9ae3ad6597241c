package front

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mirror/internal/front/blobs"
	"mirror/site"
)

var byteRanges = []string{"bytes"} // of all answers

// send writes a verified content.
func (f *Front) send(w http.ResponseWriter, r *http.Request, p *page, c blobs.Content, status int) {
	h := w.Header()
	f.setFields(h, p, c.Data)
	if c.Size > blobs.Small {
		patience := time.Minute + time.Duration(c.Size/slowest)*time.Second
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience)) // else the server's own
	}
	if status == http.StatusOK && conditional(r) {
		http.ServeContent(w, r, "", time.Time{}, c.Reader())
		return
	}
	h["Content-Length"] = []string{strconv.FormatInt(c.Size, 10)}
	if status == http.StatusOK {
		h["Accept-Ranges"] = byteRanges
	} else {
		delete(h, "Etag")
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if c.Data != nil {
		_, _ = w.Write(c.Data) // an error means that the visitor has gone
		return
	}
	_, _ = io.Copy(w, c.Reader()) // the same
}

// slowest is how slowly a visitor may read a large body, in bytes a second.
const slowest = 16 << 10

// conditional reports whether a request asks for anything else than the whole page.
func conditional(r *http.Request) bool {
	h := r.Header
	return len(h["Range"]) > 0 || len(h["If-None-Match"]) > 0 || len(h["If-Match"]) > 0 || len(h["If-Modified-Since"]) > 0 || len(h["If-Unmodified-Since"]) > 0
}

// setFields sets the header fields of a page. data are its bytes, where they are at hand.
func (f *Front) setFields(h http.Header, p *page, data []byte) {
	known := p.fields.Load()
	if known == nil {
		known = f.fieldsOf(p, data)
		if data != nil || known.contentType[0] != "application/octet-stream" {
			p.fields.Store(known)
		}
	}
	known.set(h)
	h["Etag"] = []string{p.tag()}
}

// fieldsOf makes the header fields of a page from its path, its first bytes, and the rules of the config.
func (f *Front) fieldsOf(p *page, data []byte) *fields {
	path := p.file.Path
	if p.coding != "" {
		path, data = p.of, nil
	}
	k := fieldsKey{contentType: site.ContentType(path, data)}
	if f.options.Header != nil {
		rule := func(name string, to *string) {
			if value := strings.TrimSpace(f.options.Header(path, name)); value != "" {
				*to = value
			}
		}
		rule("Cache-Control", &k.cacheControl)
		rule("Content-Type", &k.contentType)
		rule("Content-Encoding", &k.encoding)
	}
	if p.coding != "" {
		k.encoding = p.coding
	}
	if p.coding != "" || len(p.variants) > 0 {
		k.vary = "Accept-Encoding"
	}
	return f.fieldsets.of(k)
}
