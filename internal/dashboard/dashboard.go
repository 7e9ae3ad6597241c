// Package dashboard shows what the daemon remembers and is about to do: pages for people, the
// same as JSON for scripts, and metrics for Prometheus. It reads; only POST /api/v1/check and
// /api/v1/publish start something, and both are off unless there is a token.
//
// Whatever an origin said (names, titles, bodies, errors) is somebody else's text. It goes
// through html/template's escaping and nowhere else, and the pages may load nothing but their
// own stylesheet and script.
package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"mirror/diff"
	"mirror/internal/summary"
	"mirror/reports"
	"mirror/reports/html"
)

// Options says what a dashboard shows, and what may be started through it.
type Options struct {
	Source  summary.Source       // what is remembered
	Origins []Origin             // as configured; a check may know fewer, or others
	Jobs    func() []reports.Job // nil for none
	// Overdue lists the jobs that ought to have run by now, as the scheduler has them. While
	// there are any, /readyz fails. Nil for never.
	Overdue func() []string
	// Notifications tells how many messages were sent, and how many could not be, so far. Nil
	// leaves both metrics out.
	Notifications func() (sent, failed uint64)
	// Notice is something about the daemon itself that every page shows, "" for nothing. Nil
	// for never.
	Notice  func() string
	Version string

	// Token has to be given, as a bearer token, by whoever starts something, and, in that way
	// or as the password of basic authentication, by whoever is to see what commands, builds
	// and targets said. "" turns both off.
	Token string
	// Scrub takes secrets out of all that is answered; nil for none.
	Scrub func(text []byte) []byte
	// Check and Publish start the work and return once it has begun, without waiting for its
	// end. ErrBusy says that it is running already. Nil for what cannot be started.
	Check, Publish func(ctx context.Context) error

	// Hosts are the names, without a port, under which browsers may ask, beside localhost and
	// every plain IP address. Others are refused, so that no foreign page can read this one
	// by pointing its own name here (DNS rebinding). "*" allows all names.
	Hosts []string

	Now func() time.Time // nil for time.Now
	Log *slog.Logger     // nil for none
}

// Origin is one configured origin.
type Origin struct{ Name, URL string }

// named lists the configured origins.
func (o Options) named() []diff.OriginState {
	var all []diff.OriginState
	for _, origin := range o.Origins {
		all = append(all, diff.OriginState{Name: origin.Name, URL: origin.URL})
	}
	return all
}

// ErrBusy means that what was to be started is running already.
var ErrBusy = errors.New("it is running already")

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

// New makes a dashboard. It starts nothing: no goroutine runs but those of requests.
func New(o Options) *Dashboard {
	o = o.complete()
	d := &Dashboard{options: o, access: newAccess(o), reader: withholding{summary.NewReader(o.Source, o.Now)}, pages: html.NewRenderer(), events: newEvents(o.Now)}
	d.metrics = newMetrics(o, d.reader)
	d.handler = d.routes()
	return d
}

func (o Options) complete() Options {
	if o.Scrub == nil {
		o.Scrub = func(text []byte) []byte { return text }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Jobs == nil {
		o.Jobs = func() []reports.Job { return nil }
	}
	if o.Notice == nil {
		o.Notice = func() string { return "" }
	}
	if o.Overdue == nil {
		o.Overdue = func() []string { return nil }
	}
	return o
}

// ServeHTTP answers one request.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.handler.ServeHTTP(w, r) }

// Changed tells open pages that there is something new to show. It does not wait for them.
// Call it when a check or a publish ended and when a job began or ended.
func (d *Dashboard) Changed() { d.events.changed() }

// Close ends the open event streams, so that a server can shut down. What is shown stays
// available.
func (d *Dashboard) Close() { d.events.close() }
