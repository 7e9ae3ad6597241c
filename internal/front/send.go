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

// ruled are the headers that the config may set for a page.
func ruled() []string {
	return []string{"Cache-Control", "Content-Type", "Content-Encoding"}
}

// setFields sets the header fields of a page. data are its bytes, where they are at hand.
func (f *Front) setFields(h http.Header, p *page, data []byte) {
	known := p.fields.Load()
	if known == nil {
		known = f.fieldsOf(p, data)
		if data != nil || known.Get("Content-Type") != "application/octet-stream" {
			p.fields.Store(known)
		}
	}
	for name, value := range *known {
		h[name] = value
	}
}

// fieldsOf makes the header fields of a page from its path and its first bytes.
func (f *Front) fieldsOf(p *page, data []byte) *http.Header {
	path := p.file.Path
	if p.coding != "" {
		path, data = p.of, nil
	}
	h := http.Header{"Content-Type": {site.ContentType(path, data)}, "Etag": {p.tag()}}
	if f.options.Header != nil {
		for _, name := range ruled() {
			if value := f.options.Header(path, name); value != "" {
				h.Set(name, strings.TrimSpace(value))
			}
		}
	}
	if p.coding != "" {
		h.Set("Content-Encoding", p.coding)
	}
	if p.coding != "" || len(p.variants) > 0 {
		h.Set("Vary", "Accept-Encoding")
	}
	return &h
}
