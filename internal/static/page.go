package static

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"mirror/internal/filestamp"
)

// page is a small file of the site as it is sent. Its slices are shared by all answers.
type page struct {
	body              []byte
	kind, tag, length []string // values of header fields
	sum               [sha256.Size]byte
	compressible      bool // variants of it are served
}

var (
	noSniff    = []string{"nosniff"}
	byteRanges = []string{"bytes"}
)

func newPage(body []byte, kind, tag string) *page {
	return &page{body: body, kind: []string{kind}, tag: []string{tag}, length: []string{strconv.Itoa(len(body))}}
}

func (p *page) bytes() int64 { return int64(len(p.body)) + pageBytes }

// send answers with the page.
func (p *page) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"], h["Etag"] = p.kind, p.tag
	if conditional(r) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.body))
		return
	}
	h["Accept-Ranges"], h["Content-Length"] = byteRanges, p.length
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(p.body) // an error means that the visitor has gone
	}
}

// conditional reports whether a request asks for anything else than the whole page.
func conditional(r *http.Request) bool {
	for _, field := range []string{"Range", "If-None-Match", "If-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if len(r.Header[field]) > 0 {
			return true
		}
	}
	return false
}

// The bounds of the pages that are kept in memory.
const (
	keepBytes = 32 << 20
	pageBytes = 1 << 10 // what a page takes beside its content
)

// pages keeps small files in memory for as long as what the system says of them stays.
type pages struct {
	settled time.Duration // see settled

	mu    sync.RWMutex
	kept  map[string]keptPage
	bytes int64
}

type keptPage struct {
	info  fs.FileInfo
	stamp filestamp.Stamp
	*page
}

// has reports whether there may be a page of a file.
func (p *pages) has(name string) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	_, ok := p.kept[name]
	return ok
}

// get returns the page of a file as it is now, nil where it is not kept.
func (p *pages) get(name string, info fs.FileInfo) *page {
	p.mu.RLock()
	k, ok := p.kept[name]
	p.mu.RUnlock()
	if !ok || k.stamp != filestamp.Of(info) || info.Sys() != nil && !os.SameFile(k.info, info) {
		return nil
	}
	return k.page
}

// keep keeps a page that was read at a time or later, where each write since would show. Others make room for it.
func (p *pages) keep(name string, info fs.FileInfo, read time.Time, made *page) {
	stamp := filestamp.Of(info)
	if _, fixed := info.(treeInfo); !fixed && (!filestamp.Sure(info) || !stamp.Before(read.Add(-p.settled))) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(name)
	for other := range p.kept {
		if p.bytes+made.bytes() <= keepBytes {
			break
		}
		p.drop(other)
	}
	p.kept[name] = keptPage{info, stamp, made}
	p.bytes += made.bytes()
}

// drop forgets a page. The caller must hold mu.
func (p *pages) drop(name string) {
	if k, ok := p.kept[name]; ok {
		p.bytes -= k.bytes()
		delete(p.kept, name)
	}
}
