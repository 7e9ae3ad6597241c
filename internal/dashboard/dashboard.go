// Package dashboard shows what the daemon remembers and is about to do: pages for people, the
// same as JSON for scripts, and metrics for Prometheus. It reads; only POST /api/v1/check,
// /api/v1/publish and /api/v1/rollback start something, and all are off unless there is a token.
//
// Text from an origin (names, titles, bodies, errors) is hostile input. It goes
// through html/template's escaping and nowhere else, and the pages may load nothing but their
// own stylesheet and script.
package dashboard

import (
	"net/http"

	"mirror/internal/summary"
	"mirror/reports/html"
)

// New makes a dashboard. It starts nothing: no goroutine runs but those of requests.
func New(o Options) *Dashboard {
	o = o.complete()
	d := &Dashboard{options: o, access: newAccess(o), reader: withholding{summary.NewReader(o.Source, o.Now)}, pages: html.NewRenderer(), events: newEvents(o.Now)}
	d.metrics = newMetrics(o, d.reader)
	d.handler = d.routes()
	return d
}

// ServeHTTP answers one request.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.handler.ServeHTTP(w, r) }

// Changed tells open pages that there is something new to show. It does not wait for them.
// Call it when a check or a publish ended and when a job began or ended.
func (d *Dashboard) Changed() { d.events.changed() }

// Close ends the open event streams, so that a server can shut down. What is shown stays
// available.
func (d *Dashboard) Close() { d.events.close() }
