package dashboard

import (
	"context"
	"errors"
	"mirror/reports/html"
	"net/http"
	"strconv"
)

// Dashboard answers for the pages, the API and the metrics. It is safe for concurrent use.
type Dashboard struct {
	options Options
	handler http.Handler
	reader  withholding
	pages   *html.Renderer
	events  *events
	metrics *metrics
	access  *access
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
// to the log and not to the client.
func (d *Dashboard) explain(ctx context.Context, path string, err error) (int, html.Problem) {
	switch {
	case errors.Is(err, errNotFound):
		return http.StatusNotFound, html.Problem{Head: "Not found", Text: "There is nothing at " + path + "."}
	case errors.Is(err, errQuery):
		return http.StatusBadRequest, html.Problem{Head: "What was asked makes no sense", Text: err.Error() + "."}
	case ctx.Err() != nil:
		return http.StatusServiceUnavailable, html.Problem{Head: "Too late", Text: "The client closed the connection."}
	}
	d.options.Log.Error("the history could not be read", "path", path, "err", err)
	return http.StatusInternalServerError, html.Problem{Head: "The history cannot be read", Text: "What the daemon remembers cannot be read at the moment. Its log says why; checks may go on nevertheless."}
}

// answer answers with JSON that was scrubbed.
func (d *Dashboard) answer(w http.ResponseWriter, status int, doc any) {
	answerWith(w, status, doc, d.options.Scrub)
}
