// Package static is the small origin server: it serves a site from any fs.FS as a good
// host does, and swaps one release for the next without a visitor noticing. `mirror
// serve`, the lab and the published container image all serve with it.
package static

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"mirror/internal/oserr"
	"net/http"
	"net/url"
	"path"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// own is the folder in which mirror keeps its records beside a site. It is never served.
const own = ".mirror"

// Options say how a site is served. The zero value is good.
type Options struct {
	// NotFound is the page that answers for paths that do not exist; "" for 404.html.
	NotFound string
	// CleanURLs serves about.html also at /about.
	CleanURLs bool
	// ContentType names the media type of a file from its path and first 512 bytes.
	// Where it is nil or gives "", the extension decides, then the bytes.
	ContentType func(name string, head []byte) string
	// Compress says which compressed variants are served to clients that accept them.
	Compress Compress
	// Log hears of files that cannot be read; nil for silence.
	Log *slog.Logger
}

type handler struct {
	site  fs.FS
	o     Options
	tags  tagger
	pages pages
}

// New returns a handler that serves the site in fsys. It needs only Open on files (see
// Dir for folders on disk), and keeps small ones in memory where fsys is a fs.StatFS. Files may change or
// go while it serves.
func New(fsys fs.FS, o Options) http.Handler {
	if d, ok := fsys.(Dir); ok && runtime.GOOS != "windows" { // where no open folder can be renamed
		fsys = &folder{path: string(d)}
	}
	if o.NotFound == "" {
		o.NotFound = "404.html"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &handler{site: fsys, o: o, tags: tagger{known: map[string]tagged{}}, pages: pages{settled: settled, kept: map[string]keptPage{}}}
}

// ServeHTTP answers GET and HEAD, with ranges and If-None-Match, and refuses the rest.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["X-Content-Type-Options"] = noSniff
	CloseAfterBody(w, r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	err := h.answer(w, r)
	if errors.Is(err, fs.ErrNotExist) {
		err = h.notFound(w, r)
	}
	if err != nil {
		h.o.Log.Error("cannot serve", "path", r.URL.Path, "err", err)
		http.Error(w, "the file cannot be read", http.StatusInternalServerError)
	}
}

var closing = []string{"close"}

// CloseAfterBody ends the connection after the answer to a request that has a body, which no page needs: a proxy before the
// server may see the end of the body elsewhere, and take what follows for another request.
func CloseAfterBody(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 && r.ContentLength != 0 {
		w.Header()["Connection"] = closing
	}
}

// answer serves what the URL's path stands for. Nothing is written when it fails.
func (h *handler) answer(w http.ResponseWriter, r *http.Request) error {
	name, rooted := strings.CutPrefix(r.URL.Path, "/")
	if !rooted {
		return fs.ErrNotExist
	}
	if name == "" || strings.HasSuffix(name, "/") {
		return h.serve(w, r, name+"index.html")
	}
	err := h.serve(w, r, name)
	if h.o.CleanURLs && errors.Is(err, fs.ErrNotExist) {
		err = h.serve(w, r, name+".html")
	}
	if errors.Is(err, fs.ErrNotExist) && h.exists(name+"/index.html") {
		RedirectToFolder(w, r, name)
		return nil
	}
	return err
}

// RedirectToFolder sends /a/b to /a/b/ by a relative Location, which names no host. The
// "./" keeps a colon in the name from reading as a scheme.
func RedirectToFolder(w http.ResponseWriter, r *http.Request, name string) {
	location := "./" + url.PathEscape(path.Base(name)) + "/"
	if r.URL.RawQuery != "" {
		location += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusMovedPermanently)
}

// serve sends one file of the site.
func (h *handler) serve(w http.ResponseWriter, r *http.Request, name string) error {
	if p, err := h.kept(name); p != nil || err != nil {
		if p != nil {
			err = h.sendPage(w, r, p)
		}
		return err
	}
	asked := time.Now()
	f, info, err := h.open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if large, seekable := f.(io.ReadSeeker); seekable && info.Size() > small {
		return h.serveLarge(w, r, name, large, info)
	}
	p, err := h.read(name, f, info.Size())
	if err != nil {
		return err
	}
	h.pages.keep(name, info, asked, p)
	return h.sendPage(w, r, p)
}

// kept returns a page that is in memory and still as the site has it, nil for none.
func (h *handler) kept(name string) (*page, error) {
	all, ok := h.site.(fs.StatFS)
	if !ok || !servable(name) {
		return nil, nil
	}
	if f, ok := h.site.(*folder); ok && h.pages.has(name) {
		// A file that was read below the folder is the same by whatever links it is found now.
		if info, err := f.glance(name); err == nil {
			if p := h.pages.get(name, info); p != nil {
				return p, nil
			}
		}
	}
	info, err := all.Stat(name)
	if err != nil {
		return nil, absence(err)
	}
	return h.pages.get(name, info), nil
}

// read makes the page of a file that has about so many bytes.
func (h *handler) read(name string, f fs.File, size int64) (*page, error) {
	body := bytes.NewBuffer(make([]byte, 0, min(size, small)+bytes.MinRead))
	if _, err := body.ReadFrom(f); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body.Bytes())
	p := newPage(body.Bytes(), h.typeOf(name, body.Bytes()), quote(sum[:]))
	p.sum, p.compressible = sum, h.o.Compress.offers(p.kind[0], int64(body.Len()))
	return p, nil
}

// serveLarge sends a file that is not held in memory.
func (h *handler) serveLarge(w http.ResponseWriter, r *http.Request, name string, f io.ReadSeeker, info fs.FileInfo) error {
	tag, err := h.tags.content(name, f, info)
	if err != nil {
		return err
	}
	start, err := head(f)
	if err != nil {
		return err
	}
	kind := h.typeOf(name, start)
	if h.o.Compress.offers(kind, info.Size()) {
		digest, err := digestOf(tag)
		if err != nil {
			return err
		}
		if sent, err := h.sendVariant(w, r, digest, readWhole(f), []string{kind}); sent || err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Etag", tag)
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// head returns a file's first bytes and leaves it at its start.
func head(f io.ReadSeeker) ([]byte, error) {
	start := make([]byte, sniffed)
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return start[:n], err
}

// notFound sends the not-found page with status 404.
func (h *handler) notFound(w http.ResponseWriter, r *http.Request) error {
	page, kind := []byte("404 page not found\n"), "text/plain; charset=utf-8"
	f, _, err := h.open(h.o.NotFound)
	if err == nil {
		defer f.Close()
		if page, err = io.ReadAll(f); err != nil {
			return err
		}
		kind = h.typeOf(h.o.NotFound, page)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(http.StatusNotFound)
	if r.Method == http.MethodGet {
		_, _ = w.Write(page) // an error means that the visitor has gone
	}
	return nil
}

func (h *handler) exists(name string) bool {
	f, _, err := h.open(name)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// servable reports whether a name can be that of a page.
func servable(name string) bool {
	return fs.ValidPath(name) && name != own && !strings.HasPrefix(name, own+"/")
}

// open opens a regular file; all else is fs.ErrNotExist.
func (h *handler) open(name string) (fs.File, fs.FileInfo, error) {
	if !servable(name) {
		return nil, nil, fs.ErrNotExist
	}
	f, err := h.site.Open(name)
	if err != nil {
		return nil, nil, absence(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// absence makes fs.ErrNotExist of every error that says that the site has no such file: a
// file in place of a folder, a name that is too long, a link that leads out of the site.
// What remains is trouble, which must not look like a page that is gone.
func absence(err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return fs.ErrNotExist
	}
	if oserr.NoFile(err) {
		return fs.ErrNotExist
	}
	return err
}

// sniffed is how many bytes of a file may tell its media type.
const sniffed = 512

// typeOf names the media type of a file by its name and its first bytes.
func (h *handler) typeOf(name string, content []byte) string {
	head := content[:min(len(content), sniffed)]
	if h.o.ContentType != nil {
		if kind := h.o.ContentType(name, head); kind != "" {
			return kind
		}
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return http.DetectContentType(head)
}
