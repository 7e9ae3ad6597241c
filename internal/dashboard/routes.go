package dashboard

import "net/http"

// routes lists everything there is to ask for.
func (d *Dashboard) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /events", d.events)
	return mux
}
