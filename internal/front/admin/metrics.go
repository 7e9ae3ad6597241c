package admin

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mirror/internal/front"
)

// metrics are read from the front's status at each scrape. Labels have values from the config alone.
type metrics struct {
	front *front.Front

	up, current, open, served, failed, latency         *prometheus.Desc
	requests, cached, fetched, failures, wrong, moves  *prometheus.Desc
	streams, cuts                                      *prometheus.Desc
	sequence, since, reachable, memory, disk, diskSize *prometheus.Desc
}

func newMetrics(f *front.Front, version string) http.Handler {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("mirror_"+name, help, labels, nil)
	}
	m := &metrics{
		front:     f,
		up:        desc("origin_up", "Whether the origin answered when it was last looked at.", "origin"),
		current:   desc("origin_agrees", "Whether the origin holds the release that visitors get.", "origin"),
		open:      desc("front_circuit_open", "Whether the origin's circuit is open.", "origin"),
		served:    desc("front_origin_bodies_total", "Bodies that came from the origin.", "origin"),
		failed:    desc("front_origin_failures_total", "Requests to the origin that gave no verified body.", "origin"),
		latency:   desc("front_origin_latency_seconds", "How long the origin takes.", "origin", "quantile"),
		requests:  desc("front_requests_total", "Requests of visitors."),
		cached:    desc("front_cache_hits_total", "Bodies that came from the cache."),
		fetched:   desc("front_fetched_total", "Contents that were fetched from origins."),
		failures:  desc("front_failures_total", "Requests that could not be answered."),
		wrong:     desc("front_refused_answers_total", "Answers of origins that were wrong."),
		moves:     desc("front_moves_total", "Moves of all visitors to another release."),
		streams:   desc("front_streams_total", "Bodies that were too large to be verified before they were sent."),
		cuts:      desc("front_cuts_total", "Of those, the ones that turned out to be wrong and were cut."),
		sequence:  desc("front_release_sequence", "The sequence of the release that visitors get."),
		since:     desc("front_release_since_timestamp_seconds", "When visitors got the release first, in Unix time."),
		reachable: desc("front_origins_reachable", "Whether any origin answers."),
		memory:    desc("front_cache_memory_bytes", "Contents in memory."),
		disk:      desc("front_cache_disk_bytes", "Contents on disk."),
		diskSize:  desc("front_cache_disk_files", "Files on disk."),
	}
	registry := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "mirror_build_info", Help: "What is running: always 1.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	registry.MustRegister(m, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true, MaxRequestsInFlight: 4})
}

// Describe lists what Collect sends.
func (m *metrics) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, to) }

// Collect reads how the front stands.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	s := m.front.Status()
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	for _, o := range s.Origins {
		send(m.up, prometheus.GaugeValue, flag(o.Answers), o.Name)
		send(m.current, prometheus.GaugeValue, flag(o.Current), o.Name)
		send(m.open, prometheus.GaugeValue, flag(o.Open), o.Name)
		send(m.served, prometheus.CounterValue, float64(o.Served), o.Name)
		send(m.failed, prometheus.CounterValue, float64(o.Failed), o.Name)
		send(m.latency, prometheus.GaugeValue, o.P50.Seconds(), o.Name, "0.5")
		send(m.latency, prometheus.GaugeValue, o.P95.Seconds(), o.Name, "0.95")
	}
	for d, n := range map[*prometheus.Desc]int64{
		m.requests: s.Requests, m.cached: s.Cached, m.fetched: s.Fetched, m.failures: s.Failures, m.wrong: s.Wrong, m.moves: s.Moves, m.streams: s.Streams, m.cuts: s.Cuts,
	} {
		send(d, prometheus.CounterValue, float64(n))
	}
	send(m.reachable, prometheus.GaugeValue, flag(s.Reachable))
	send(m.memory, prometheus.GaugeValue, float64(s.Cache.Memory))
	send(m.disk, prometheus.GaugeValue, float64(s.Cache.Disk))
	send(m.diskSize, prometheus.GaugeValue, float64(s.Cache.Files))
	if s.Release != "" {
		send(m.sequence, prometheus.GaugeValue, float64(s.Sequence))
		send(m.since, prometheus.GaugeValue, float64(s.Since.Unix()))
	}
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
