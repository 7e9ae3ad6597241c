package static

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"mirror/internal/compression"
)

// Compress says which compressed variants of files are served. The zero value serves none.
type Compress struct {
	Codings []compression.Coding // in the order of preference
	Store   *compression.Store
}

// maxCompressed is the size of the largest file of which variants are made: it is held in memory for that.
const maxCompressed = 16 << 20

var varyEncoding = []string{"Accept-Encoding"}

// offers reports whether variants of a file are served.
func (c Compress) offers(contentType string, size int64) bool {
	return len(c.Codings) > 0 && size <= maxCompressed && size > 0 && compression.Compressible(contentType)
}

// choose picks what to send of a file that has variants. A part of a file is one of the file itself.
func (c Compress) choose(r *http.Request) compression.Choice {
	choice := compression.Choose(r.Header["Accept-Encoding"], c.Codings)
	if len(r.Header["Range"]) > 0 && choice.Identity {
		choice.Coding = ""
	}
	return choice
}

// sendPage answers with a small file, or with a variant of it.
func (h *handler) sendPage(w http.ResponseWriter, r *http.Request, p *page) error {
	if !p.compressible {
		p.send(w, r)
		return nil
	}
	sent, err := h.sendVariant(w, r, p.sum, func() ([]byte, error) { return p.body, nil }, p.kind)
	if err == nil && !sent {
		p.send(w, r)
	}
	return err
}

// sendVariant answers with a variant of a file. It reports false where the file itself is to be sent.
func (h *handler) sendVariant(w http.ResponseWriter, r *http.Request, digest compression.Digest, body func() ([]byte, error), kind []string) (sent bool, err error) {
	w.Header()["Vary"] = varyEncoding
	choice := h.o.Compress.choose(r)
	switch {
	case choice.None:
		http.Error(w, "none of the accepted codings is available", http.StatusNotAcceptable)
		return true, nil
	case choice.Coding == "":
		return false, nil
	}
	v := h.o.Compress.Store.Lookup(digest, choice.Coding)
	if v == nil {
		whole, err := body()
		if err != nil {
			return false, err
		}
		if v, err = h.o.Compress.Store.Get(digest, choice.Coding, whole); err != nil {
			h.o.Log.Warn("a file is served without compression", "path", r.URL.Path, "err", err)
			return false, nil
		}
	}
	if !v.Saves && choice.Identity {
		return false, nil
	}
	header := w.Header()
	header["Content-Type"], header["Etag"], header["Content-Encoding"] = kind, v.Tag, []string{string(choice.Coding)}
	if conditional(r) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(v.Body))
		return true, nil
	}
	header["Content-Length"] = v.Length
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(v.Body) // an error means that the visitor has gone
	}
	return true, nil
}

// readWhole returns the reader of a large file's bytes, and leaves the file at its start.
func readWhole(f io.ReadSeeker) func() ([]byte, error) {
	return func() ([]byte, error) {
		body, err := io.ReadAll(io.LimitReader(f, maxCompressed+1))
		if err == nil && len(body) > maxCompressed {
			err = errors.New("the file grew while it was read")
		}
		if err == nil {
			_, err = f.Seek(0, io.SeekStart)
		}
		return body, err
	}
}
