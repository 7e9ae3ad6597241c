package dashboard

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"mirror/reports/html"
)

// routes lists everything there is to ask for.
func (d *Dashboard) routes() http.Handler {
	mux := http.NewServeMux()
	for path, load := range map[string]loader{
		"/{$}":            d.nowPage,
		"/origins/{name}": d.originPage,
		"/publishes":      d.publishesPage,
		"/publishes/{id}": d.publishPage,
		"/episodes":       d.episodesPage,
		"/episodes/{id}":  d.episodePage,
		"/checks":         d.checksPage,
		"/history":        d.historyPage,
		"/jobs":           d.jobsPage,
		"/jobs/{name}":    d.jobPage,
	} {
		mux.HandleFunc("GET "+path, d.page(load))
	}
	mux.HandleFunc("GET /style.css", asset("style.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /live.js", asset("live.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /favicon.svg", asset("favicon.svg", "image/svg+xml"))
	mux.HandleFunc("GET /login", d.login)
	mux.Handle("GET /events", d.events)
	mux.Handle("GET /metrics", d.metrics)
	mux.HandleFunc("GET /healthz", d.healthz)
	mux.HandleFunc("GET /readyz", d.readyz)
	d.api(mux)
	mux.HandleFunc("/", d.elsewhere)
	return d.guard(mux)
}

// elsewhere answers for all other addresses, and for other methods than those above.
func (d *Dashboard) elsewhere(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		d.show(w, r, http.StatusMethodNotAllowed, html.Problem{Head: "Not like this", Text: "This can be read, and nothing else."})
		return
	}
	d.fail(w, r, errNotFound)
}

// loader reads what a page shows.
type loader func(r *http.Request) (html.Page, error)

// page answers with a page, or with what went wrong, in the same look.
func (d *Dashboard) page(load loader) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page, err := load(r)
		if err != nil {
			d.fail(w, r, err)
			return
		}
		d.show(w, r, http.StatusOK, page)
	}
}

func (d *Dashboard) show(w http.ResponseWriter, r *http.Request, status int, page html.Page) {
	text, err := d.pages.Render(html.Frame{
		Path: r.URL.Path, Now: d.options.Now(), Version: d.options.Version, Notice: d.options.Notice(), Login: !d.access.none && !isShown(r.Context()),
	}, page)
	if err != nil {
		d.options.Log.Error("a page could not be made", "path", r.URL.Path, "err", err)
		http.Error(w, "this page could not be made; the daemon's log says why", http.StatusInternalServerError)
		return
	}
	text = d.options.Scrub(text)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // the reader may have gone
}

func (d *Dashboard) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, p := d.explain(r.Context(), r.URL.Path, err)
	d.show(w, r, status, p)
}

// explain makes of an error a status and what people are told. What went wrong inside goes
// to the log and not to whoever asks.
func (d *Dashboard) explain(ctx context.Context, path string, err error) (int, html.Problem) {
	switch {
	case errors.Is(err, errNotFound):
		return http.StatusNotFound, html.Problem{Head: "Not found", Text: "There is nothing at " + path + "."}
	case errors.Is(err, errQuery):
		return http.StatusBadRequest, html.Problem{Head: "What was asked makes no sense", Text: err.Error() + "."}
	case ctx.Err() != nil:
		return http.StatusServiceUnavailable, html.Problem{Head: "Too late", Text: "Whoever asked has gone."}
	}
	d.options.Log.Error("the history could not be read", "path", path, "err", err)
	return http.StatusInternalServerError, html.Problem{Head: "The history cannot be read", Text: "What the daemon remembers cannot be read at the moment. Its log says why; checks may go on nevertheless."}
}

// asset serves one file of the pages. They ask for it with its version, so that it may be kept.
func asset(name, mediaType string) http.HandlerFunc {
	text := html.Asset(name)
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "public, max-age=86400")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(text))
	}
}
