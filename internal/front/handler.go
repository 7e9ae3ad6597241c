package front

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"mirror/internal/front/blobs"
	"mirror/internal/static"
	"mirror/site"
)

// Values of header fields that all answers share.
var (
	noSniff  = []string{"nosniff"}
	noOrigin = []string{"unreachable"}
)

// OriginsHeader marks an answer that comes from the cache while no origin answers.
const OriginsHeader = "X-Mirror-Origins"

// ServeHTTP answers GET and HEAD by the release, and refuses the rest.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.counts.requests.Add(1)
	h := w.Header()
	h["X-Content-Type-Options"] = noSniff
	if f.dark.Load() {
		h[OriginsHeader] = noOrigin
	}
	static.CloseAfterBody(w, r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	e := f.current.Load()
	if e == nil {
		unavailable(w, "no release is known yet to be held by enough origins")
		return
	}
	if f.options.Cookie {
		e = f.catchUp(r, e)
	}
	began := time.Time{}
	if len(r.Header[DebugHeader]) > 0 {
		began = time.Now()
	}
	err := f.answer(w, r, e, began)
	if next := f.later(r.Context(), e, err); next != nil {
		err = f.answer(w, r, next, began)
	}
	if err != nil && r.Context().Err() == nil {
		f.counts.failures.Add(1)
		f.complain(r.URL.Path, err)
		unavailable(w, "no origin gives this page as the release has it")
	}
}

// complainAgain is how often at most it is logged that pages cannot be served: visitors may ask often.
const complainAgain = time.Second

// complain logs why a page could not be served, and how many others since the last time.
func (f *Front) complain(path string, err error) {
	now := int64(time.Since(f.began))
	f.unsaid.Add(1)
	last := f.complained.Load()
	if last != 0 && now-last < int64(complainAgain) || !f.complained.CompareAndSwap(last, now) {
		return
	}
	f.options.Log.Warn("a page could not be served", "path", path, "requests", f.unsaid.Swap(0), "err", err)
}

// unavailable answers 502: publish and check take a 503 for a limit on requests, and slow down.
func unavailable(w http.ResponseWriter, why string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, why, http.StatusBadGateway)
}

// moveTime is for how long a visitor is made to wait for the next release, where no origin has a page of
// the current one any more.
const moveTime = 10 * time.Second

// later returns the edition that takes the place of e, where a page of e could not be had since the
// origins have moved on; nil for none.
func (f *Front) later(ctx context.Context, e *edition, err error) *edition {
	if err == nil || ctx.Err() != nil {
		return nil
	}
	timer := time.NewTimer(moveTime)
	defer timer.Stop()
	for {
		now, moved := f.serving()
		if now.release != e.release {
			return now
		}
		if f.dark.Load() || errors.Is(err, errTooLarge) || errors.Is(err, blobs.ErrNoRoom) {
			return nil
		}
		for i := range f.watchers {
			f.kick(i)
		}
		select {
		case <-moved:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// DebugHeader is a request header that has the answer tell which release it is of, and where its body came from.
const DebugHeader = "X-Mirror-Debug"

// explain tells a visitor who asks for it which release an answer is of.
func explain(h http.Header, e *edition, from string, began time.Time) {
	if began.IsZero() {
		return
	}
	h.Set("X-Mirror-Release", string(e.release))
	h.Set("Server-Timing", fmt.Sprintf("%s;dur=%.3f", from, float64(time.Since(began).Microseconds())/1000))
}

// answer serves what a path stands for. Nothing is written where it fails.
func (f *Front) answer(w http.ResponseWriter, r *http.Request, e *edition, began time.Time) error {
	if r.URL.Path == "/"+f.options.Beacon {
		return f.serve(w, r, e, e.beacon, http.StatusOK, began)
	}
	if f.options.PublishManifest && f.manifestOf(w, r) {
		return nil
	}
	p, folder := e.find(r.URL.Path, f.options.CleanURLs)
	if p != nil && f.options.Cookie && site.IsPage(p.file.Path) {
		setCookie(w, r, e)
	}
	switch {
	case p != nil && len(p.variants) > 0:
		return f.serve(w, r, e, p.best(r.Header["Accept-Encoding"]), http.StatusOK, began)
	case p != nil:
		return f.serve(w, r, e, p, http.StatusOK, began)
	case folder != "":
		static.RedirectToFolder(w, r, folder)
		return nil
	}
	if p := e.kept(r.URL.Path, f.options.Grace); p != nil {
		return f.serve(w, r, e, p, http.StatusOK, began)
	}
	if p := e.pages[f.options.NotFound]; p != nil {
		return f.serve(w, r, e, p, http.StatusNotFound, began)
	}
	http.Error(w, "404 page not found", http.StatusNotFound)
	return nil
}

// manifestOf serves the manifest of a known release. It reports false where the path is that of none.
func (f *Front) manifestOf(w http.ResponseWriter, r *http.Request) bool {
	id, ok := site.SumsOf(strings.TrimPrefix(r.URL.Path, "/"))
	if !ok {
		return false
	}
	m, known := f.known.manifest(id)
	if !known {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Etag", `"`+string(id)+`"`) // its digest
	if r.Method == http.MethodGet {
		_, _ = m.WriteTo(w) // an error means that the visitor has gone
	}
	return true
}

// serve sends a page. Its bytes were verified, or are verified before the first of them is sent.
func (f *Front) serve(w http.ResponseWriter, r *http.Request, e *edition, p *page, status int, began time.Time) error {
	if status == http.StatusOK && unchanged(r, p) {
		explain(w.Header(), e, "unchanged", began)
		f.setFields(w.Header(), p, nil)
		delete(w.Header(), "Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if p.file.Size > f.options.MaxVerified && status == http.StatusOK && f.streamed(p.file) {
		explain(w.Header(), e, "stream", began)
		return f.stream(w, r, e, p)
	}
	if b := p.blob.Load(); b != nil {
		if data := b.Bytes(); data != nil {
			f.counts.cached.Add(1)
			explain(w.Header(), e, "memory", began)
			f.send(w, r, p, blobs.Content{Size: int64(len(data)), Data: data}, status)
			return nil
		}
	}
	c, from, err := f.contentOf(r.Context(), e, p)
	if err != nil {
		return err
	}
	defer c.Close()
	explain(w.Header(), e, from, began)
	f.send(w, r, p, c, status)
	return nil
}

// unchanged reports whether the visitor has the page already: then no origin is asked for it.
func unchanged(r *http.Request, p *page) bool {
	have := r.Header["If-None-Match"]
	return len(have) == 1 && len(r.Header["If-Match"]) == 0 && strings.TrimPrefix(have[0], "W/") == p.tag()
}
