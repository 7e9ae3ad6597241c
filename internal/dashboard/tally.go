package dashboard

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mirror/internal/summary"
	"mirror/reports"
)

// tally counts what ended since the daemon began: publishes and runs, of all processes. The
// history forgets what is old and counters may not, so it is read as it grows.
type tally struct {
	mu        sync.Mutex
	since     time.Time            // what ended before is not counted
	published int64                // the latest publish that was counted
	ran       map[string]time.Time // by job: when the latest run began that was counted
	recovered time.Time            // when the latest episode ended that was counted

	window    prometheus.Histogram
	publishes *prometheus.CounterVec
	lastOK    prometheus.Gauge
	took      *prometheus.HistogramVec
	runs      *prometheus.CounterVec
	failures  *prometheus.CounterVec
	recovery  *prometheus.HistogramVec
}

// recentPublishes is how many publishes are read for one scrape.
const recentPublishes = 50

// newTally makes a tally. Durations have native buckets too, for those who scrape them.
func newTally(since time.Time) *tally {
	return &tally{
		since: since, ran: map[string]time.Time{}, recovered: since,
		window: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "mirror_publish_window_seconds", Help: "How long at most origins served different releases during a publish.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}, NativeHistogramBucketFactor: 1.1,
			NativeHistogramMaxBucketNumber: 100,
		}),
		publishes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mirror_publishes_total", Help: "Publishes by outcome."}, []string{"outcome"}),
		lastOK:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "mirror_last_publish_success", Help: "Whether the latest publish on record ended well; 1 where there is none."}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mirror_job_duration_seconds", Help: "How long the runs of a job took.",
			Buckets: []float64{0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600}, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}, []string{"name"}),
		recovery: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mirror_recovery_seconds", Help: "How long at most drift episodes took that ended.",
			Buckets: []float64{1, 10, 60, 300, 900, 3600, 21600, 86400, 604800}, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}, []string{"origin"}),
		runs:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mirror_job_runs_total", Help: "Runs of a job that ended."}, []string{"name"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mirror_job_failures_total", Help: "Runs of a job that failed, panicked, timed out or were interrupted."}, []string{"name"}),
	}
}

func (t *tally) all() []prometheus.Collector {
	return []prometheus.Collector{t.window, t.publishes, t.lastOK, t.took, t.runs, t.failures, t.recovery}
}

func (t *tally) describe(to chan<- *prometheus.Desc) {
	for _, c := range t.all() {
		c.Describe(to)
	}
}

func (t *tally) collect(to chan<- prometheus.Metric) {
	for _, c := range t.all() {
		c.Collect(to)
	}
}

// outcomes are how a publish can end; anything else counts as failed.
func outcomes() []string {
	return []string{"live", "unchanged", "diverged", "rolled_back", "mixed", "failed"}
}

// catchUp counts what ended since it was last called.
func (t *tally) catchUp(ctx context.Context, r withholding, jobs []reports.Job, origins []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.countRecoveries(ctx, r, origins); err != nil {
		return err
	}
	for _, outcome := range outcomes() {
		t.publishes.WithLabelValues(outcome)
	}
	if err := t.countPublishes(ctx, r); err != nil {
		return err
	}
	for _, job := range jobs {
		t.took.WithLabelValues(job.Name)
		t.runs.WithLabelValues(job.Name)
		t.failures.WithLabelValues(job.Name)
		if err := t.countRuns(ctx, r, job.Name); err != nil {
			return err
		}
	}
	return nil
}

// countRecoveries counts the episodes that ended. One of unknown begin has no length.
func (t *tally) countRecoveries(ctx context.Context, r withholding, origins []string) error {
	for _, name := range origins {
		t.recovery.WithLabelValues(name)
	}
	rows, err := r.Episodes(ctx, summary.EpisodeFilter{Since: t.recovered})
	if err != nil {
		return err
	}
	latest := t.recovered
	for _, e := range rows {
		if e.Closed == nil || !e.Closed.After(t.recovered) {
			continue
		}
		if e.Closed.After(latest) {
			latest = *e.Closed
		}
		if e.Upper != nil && slices.Contains(origins, e.Origin) {
			t.recovery.WithLabelValues(e.Origin).Observe(time.Duration(*e.Upper).Seconds())
		}
	}
	t.recovered = latest
	return nil
}

// countPublishes counts from the oldest that is new on, so that the latest decides lastOK.
func (t *tally) countPublishes(ctx context.Context, r withholding) error {
	rows, err := r.Publishes(ctx, 0, recentPublishes)
	if err != nil {
		return err
	}
	if t.published == 0 {
		t.lastOK.Set(1)
	}
	for _, p := range slices.Backward(rows) {
		if p.ID <= t.published {
			continue
		}
		t.published = p.ID
		t.noteSuccess(p)
		if p.Started.Add(time.Duration(p.Elapsed)).Before(t.since) {
			continue
		}
		t.publishes.WithLabelValues(outcomeOf(p)).Inc()
		if p.Window != nil && p.Window.Upper != nil && p.Window.Pages > 0 {
			t.window.Observe(time.Duration(*p.Window.Upper).Seconds())
		}
	}
	return nil
}

func outcomeOf(p reports.PeriodPublish) string {
	if slices.Contains(outcomes(), p.Outcome) {
		return p.Outcome
	}
	return "failed"
}

func (t *tally) noteSuccess(p reports.PeriodPublish) {
	if p.Outcome == "live" || p.Outcome == "unchanged" {
		t.lastOK.Set(1)
	} else {
		t.lastOK.Set(0)
	}
}

func (t *tally) countRuns(ctx context.Context, reader withholding, job string) error {
	from := t.ran[job]
	if from.IsZero() {
		from = t.since
	}
	rows, err := reader.Runs(ctx, summary.RunFilter{Job: job, Since: from, Limit: maxListed})
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(rows) {
		if r.Outcome == "" || !r.Started.After(from) {
			continue
		}
		t.ran[job] = r.Started
		switch r.Outcome {
		case "skipped", "repeated", "added":
			continue
		case "done":
		default:
			t.failures.WithLabelValues(job).Inc()
		}
		t.runs.WithLabelValues(job).Inc()
		t.took.WithLabelValues(job).Observe(time.Duration(r.Elapsed).Seconds())
	}
	return nil
}
