package front

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mirror/internal/front/upstream"
	"mirror/site"
)

// streamed reports whether a page is too large to be verified before its first byte is sent, and of a type
// that a browser does not run: then it is sent while it is compared, and cut at a mismatch.
func (f *Front) streamed(file site.File) bool {
	if file.Size <= f.options.MaxVerified {
		return false
	}
	kind := site.ContentType(file.Path, nil)
	for _, prefix := range []string{"video/", "audio/", "image/png", "image/jpeg", "application/zip", "application/gzip", "application/tar", "application/x-tar", "application/octet-stream"} {
		if strings.HasPrefix(kind, prefix) {
			return true
		}
	}
	return false
}

// stream sends such a page, without ranges.
func (f *Front) stream(w http.ResponseWriter, r *http.Request, e *edition, p *page) error {
	if c, ok := f.store.Get(p.file.Digest); ok {
		defer c.Close()
		f.send(w, r, p, c, http.StatusOK)
		return nil
	}
	head := func() {
		f.setFields(w.Header(), p, nil)
		w.Header()["Accept-Ranges"] = []string{"none"}
		w.Header()["Content-Length"] = []string{strconv.FormatInt(p.file.Size, 10)}
		w.WriteHeader(http.StatusOK)
	}
	if r.Method == http.MethodHead {
		head()
		return nil
	}
	patience := upstream.StreamTime(p.file.Size)
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience)) // else the server's own
	f.counts.streams.Add(1)
	begun, err := f.origins.Stream(ctx, upstream.Want{File: p.file, Rank: f.rank(e.release)}, w, head)
	if err != nil && begun {
		f.counts.cuts.Add(1)
		f.options.Log.Warn("a file that is too large to be verified first was cut", "path", p.file.Path, "err", err)
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	}
	return err
}
