package dashboard

import (
	"bytes"
	"net/http"
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
	mux.HandleFunc("GET /rollback.js", asset("rollback.js", "text/javascript; charset=utf-8"))
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

// asset serves one file of the pages. They ask for it with its version, so that it may be kept.
func asset(name, mediaType string) http.HandlerFunc {
	text := html.Asset(name)
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "public, max-age=86400")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(text))
	}
}

// login has a browser ask for the token, which it then sends with each request for a page.
// Starting something needs a bearer token nevertheless: no page of another site can send one.
func (d *Dashboard) login(w http.ResponseWriter, r *http.Request) {
	switch {
	case d.access.none:
		d.fail(w, r, errNotFound)
	case isShown(r.Context()):
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case d.access.spent():
		tooMany(w, wrongEvery)
	default:
		w.Header().Set("WWW-Authenticate", `Basic realm="mirror: the password is the token", charset="UTF-8"`)
		d.show(w, r, http.StatusUnauthorized, html.Problem{Head: "The token is needed",
			Text: "Give any user name, and the daemon's token as the password."})
	}
}
