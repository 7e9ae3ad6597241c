package dashboard

import (
	"bytes"
	"context"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mirror/diff"
	"mirror/internal/summary"
	"mirror/reports"
)

// scrapeTimeout bounds the reading of the history for one scrape.
const scrapeTimeout = 10 * time.Second

// metrics are what Prometheus reads, on a registry of its own. Labels have values from the
// config and from our own lists only, so that no origin can make new series. None is called job
// or instance, which Prometheus gives to whatever it scrapes.
type metrics struct {
	options Options
	reader  withholding
	handler http.Handler
	tally   *tally

	readable, up, agrees, pages, expiry *prometheus.Desc
	placeUp, placeAgrees                *prometheus.Desc
	age, checked, checkTook             *prometheus.Desc
	running, overdue, next              *prometheus.Desc
	sent, unsent, leads                 *prometheus.Desc
}

func newMetrics(o Options, r withholding) *metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("mirror_"+name, help, labels, nil)
	}
	m := &metrics{
		options: o, reader: r, tally: newTally(o.Now()),
		readable:    desc("history_readable", "Whether the history could be read for this scrape."),
		up:          desc("origin_up", "Whether the latest check saw all of the origin.", "origin"),
		agrees:      desc("origin_agrees", "Whether the origin served the release when last checked.", "origin"),
		placeUp:     desc("place_up", "Whether the place saw all of the origin at the latest check.", "origin", "place"),
		placeAgrees: desc("place_agrees", "Whether the origin served the release when last checked, as the place saw it.", "origin", "place"),
		pages:       desc("drift_pages", "Pages that drifted when last checked, by kind of drift.", "origin", "kind"),
		expiry:      desc("origin_certificate_expiry_timestamp_seconds", "When the origin's certificate ends, in Unix time.", "origin"),
		age:         desc("release_age_seconds", "Time since the current release went live."),
		checked:     desc("last_check_timestamp_seconds", "When the latest check with a verdict ended, in Unix time."),
		checkTook:   desc("last_check_duration_seconds", "How long the latest check with a verdict took."),
		running:     desc("job_running", "Whether the job is running.", "name"),
		overdue:     desc("job_overdue", "Whether the job is overdue.", "name"),
		next:        desc("job_next_run_timestamp_seconds", "When the job runs next, in Unix time.", "name"),
		sent:        desc("notifications_sent_total", "Messages that were sent."),
		unsent:      desc("notifications_failed_total", "Messages that could not be sent."),
		leads:       desc("group_leads", "Whether this daemon leads its group.", "group"),
	}
	registry := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "mirror_build_info", Help: "What is running: always 1.",
		ConstLabels: prometheus.Labels{"version": o.Version, "goversion": runtime.Version()},
	})
	build.Set(1)
	registry.MustRegister(m, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4})
	return m
}

// held keeps an answer until it is whole.
type held struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader keeps the status.
func (h *held) WriteHeader(status int) { h.status = status }

// Write keeps a part of the body.
func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }

// ServeHTTP answers one scrape.
func (m *metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	whole := held{ResponseWriter: w, status: http.StatusOK}
	m.handler.ServeHTTP(&whole, r)
	w.WriteHeader(whole.status)
	_, _ = w.Write(m.options.Scrub(whole.body.Bytes())) // the reader may have gone
}

// Describe lists all that Collect may send.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.readable, m.up, m.agrees, m.placeUp, m.placeAgrees, m.pages, m.expiry, m.age, m.checked, m.checkTook,
		m.running, m.overdue, m.next, m.sent, m.unsent} {
		to <- d
	}
	m.tally.describe(to)
}

// Collect reads how things are. What cannot be read is left out, so that nothing old is taken
// for new; history_readable says so.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	g := gauges{to}
	err := m.collectHistory(ctx, g)
	g.flag(m.readable, err == nil)
	if err != nil {
		m.options.Log.Error("the history could not be read", "path", "/metrics", "err", err)
	}
	overdue := map[string]bool{}
	for _, name := range m.options.Overdue() {
		overdue[name] = true
	}
	for _, j := range m.options.Jobs() {
		g.flag(m.running, j.Running, j.Name)
		g.flag(m.overdue, j.Overdue || overdue[j.Name], j.Name)
		if j.Next != nil {
			g.instant(m.next, *j.Next, j.Name)
		}
	}
	if m.options.Notifications != nil {
		sent, failed := m.options.Notifications()
		g.count(m.sent, sent)
		g.count(m.unsent, failed)
	}
	if m.options.Group != nil {
		g.flag(m.leads, m.options.Group().Leads, m.options.Group().Name)
	}
	m.tally.collect(to)
}

func (m *metrics) collectHistory(ctx context.Context, g gauges) error {
	check, err := m.reader.LastCheck(ctx)
	if err != nil {
		return err
	}
	if err := m.tally.catchUp(ctx, m.reader, m.options.Jobs(), m.options.originNames()); err != nil {
		return err
	}
	if check == nil {
		return nil
	}
	took := time.Duration(check.Elapsed)
	g.instant(m.checked, check.Started.Add(took))
	g.set(m.checkTook, took.Seconds())
	open, err := m.reader.Episodes(ctx, summary.EpisodeFilter{Open: true})
	if err != nil {
		return err
	}
	for _, o := range check.Origins {
		if m.options.configured(o.Name) {
			m.collectOrigin(g, o, open)
		}
	}
	_, live, err := m.reader.LiveSince(ctx, check.Release)
	if live != nil {
		g.set(m.age, m.options.Now().Sub(*live).Seconds())
	}
	return err
}

// originNames lists the origins that may be labels.
func (o Options) originNames() (names []string) {
	for _, origin := range o.Origins {
		names = append(names, origin.Name)
	}
	return names
}

// configured reports whether an origin may be a label.
func (o Options) configured(name string) bool {
	for _, origin := range o.Origins {
		if origin.Name == name {
			return true
		}
	}
	return false
}

func (m *metrics) collectOrigin(g gauges, o reports.OriginStatus, open []reports.PeriodEpisode) {
	g.flag(m.up, o.State != diff.CannotBeSeen && o.Error == "", o.Name)
	g.flag(m.agrees, o.State == diff.Agrees, o.Name)
	for _, p := range o.Places {
		g.flag(m.placeUp, p.State != diff.CannotBeSeen, o.Name, p.Name)
		g.flag(m.placeAgrees, p.State == diff.Agrees, o.Name, p.Name)
	}
	for _, kind := range diff.Kinds() {
		g.set(m.pages, float64(drifting(o, kind, open)), o.Name, string(kind))
	}
	if o.Expires != nil {
		g.instant(m.expiry, *o.Expires, o.Name)
	}
}

// drifting counts the pages that drifted in one way when last checked. A check that an earlier version
// recorded counts one difference for every page as one, and none has a count for an origin that is down as
// a whole; the episode has the number of pages. An episode is also open while its pages cannot be judged.
func drifting(o reports.OriginStatus, kind diff.Kind, open []reports.PeriodEpisode) int {
	pages := o.Counts[kind]
	if pages == 0 && (kind != diff.Unreachable || o.Error == "") {
		return 0
	}
	for _, e := range open {
		if e.Origin == o.Name && e.Kind == kind {
			pages = max(pages, e.Pages)
		}
	}
	return pages
}

// gauges sends values of one moment.
type gauges struct{ to chan<- prometheus.Metric }

func (g gauges) set(d *prometheus.Desc, value float64, labels ...string) {
	g.to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func (g gauges) flag(d *prometheus.Desc, yes bool, labels ...string) {
	value := 0.0
	if yes {
		value = 1
	}
	g.set(d, value, labels...)
}

func (g gauges) instant(d *prometheus.Desc, t time.Time, labels ...string) {
	g.set(d, float64(t.UnixMilli())/1000, labels...)
}

func (g gauges) count(d *prometheus.Desc, n uint64) {
	g.to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
}
