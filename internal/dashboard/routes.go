package dashboard

import (
	"context"
	"errors"
	"net/http"
	"strconv"
)

// routes lists everything there is to ask for.
func (d *Dashboard) routes() http.Handler {
	mux := http.NewServeMux()
	for path, p := range map[string]struct {
		template string
		load     loader
	}{
		"/{$}":            {"now", d.nowPage},
		"/origins/{name}": {"origin", d.originPage},
		"/publishes":      {"publishes", d.publishesPage},
		"/publishes/{id}": {"publish", d.publishPage},
		"/episodes":       {"episodes", d.episodesPage},
		"/episodes/{id}":  {"episode", d.episodePage},
		"/checks":         {"checks", d.checksPage},
		"/history":        {"history", d.historyPage},
		"/jobs":           {"jobs", d.jobsPage},
		"/jobs/{name}":    {"job", d.jobPage},
	} {
		mux.HandleFunc("GET "+path, d.page(p.template, p.load))
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
		d.show(w, r, http.StatusMethodNotAllowed, "error", "Not like this", problem{"Not like this", "This can be read, and nothing else."})
		return
	}
	d.fail(w, r, errNotFound)
}

// loader reads what a page shows, and its title.
type loader func(r *http.Request) (title string, data any, err error)

// page answers with a page, or with what went wrong, in the same look.
func (d *Dashboard) page(template string, load loader) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		title, data, err := load(r)
		if err != nil {
			d.fail(w, r, err)
			return
		}
		d.show(w, r, http.StatusOK, template, title, data)
	}
}

func (d *Dashboard) show(w http.ResponseWriter, r *http.Request, status int, template, title string, data any) {
	text, err := d.pages.render(template, view{
		Title: title, Path: r.URL.Path, Now: d.options.Now(), Version: d.options.Version, Notice: d.options.Notice(), Nav: navigation(r.URL.Path), Data: data,
		Login: !d.access.none && !isShown(r.Context()),
	})
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

// problem is what an error page says.
type problem struct{ Title, Text string }

func (d *Dashboard) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, p := d.explain(r.Context(), r.URL.Path, err)
	d.show(w, r, status, "error", p.Title, p)
}

// explain makes of an error a status and what people are told. What went wrong inside goes
// to the log and not to whoever asks.
func (d *Dashboard) explain(ctx context.Context, path string, err error) (int, problem) {
	switch {
	case errors.Is(err, errNotFound):
		return http.StatusNotFound, problem{"Not found", "There is nothing at " + path + "."}
	case errors.Is(err, errQuery):
		return http.StatusBadRequest, problem{"What was asked makes no sense", err.Error() + "."}
	case ctx.Err() != nil:
		return http.StatusServiceUnavailable, problem{"Too late", "Whoever asked has gone."}
	}
	d.options.Log.Error("the history could not be read", "path", path, "err", err)
	return http.StatusInternalServerError, problem{"The history cannot be read", "What the daemon remembers cannot be read at the moment. Its log says why; checks may go on nevertheless."}
}
