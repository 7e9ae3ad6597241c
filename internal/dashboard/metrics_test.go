package dashboard_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.yaml.in/yaml/v4"

	"mirror/diff"
	"mirror/internal/dashboard"
)

func withNotifications(o *dashboard.Options) {
	o.Notifications = func() (sent, failed uint64) { return 7, 2 }
	o.Overdue = func() []string { return []string{"daily"} }
}

func (w *world) metrics() string {
	w.t.Helper()
	answer, text := w.get("/metrics")
	if answer.StatusCode != 200 {
		w.t.Fatalf("/metrics: %s", answer.Status)
	}
	return text
}

func TestMetricsKeepToTheRules(t *testing.T) {
	w := newWorld(t, withNotifications)
	w.lived()
	problems, err := promlint.New(strings.NewReader(w.metrics())).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestMetricsSayHowThingsAre(t *testing.T) {
	w := newWorld(t, withNotifications)
	w.lived()
	before := w.metrics()
	w.publish(4, noon().Add(time.Minute), "live")
	w.publish(5, noon().Add(2*time.Minute), "mixed")
	w.run("drift", noon().Add(4*time.Minute), "timed out", "timed out", "")
	w.run("forgotten", noon().Add(5*time.Minute), "done", "", "")
	w.metrics()
	text := w.metrics() // counted once, however often it is asked for
	for _, want := range []string{
		`version="1.2.3"} 1`,
		`mirror_origin_up{origin="bucket"} 1`, `mirror_origin_agrees{origin="bucket"} 0`, `mirror_origin_agrees{origin="pages"} 1`,
		`mirror_drift_pages{kind="stale",origin="bucket"} 2`, `mirror_drift_pages{kind="altered",origin="bucket"} 0`,
		`mirror_origin_certificate_expiry_timestamp_seconds{origin="pages"} 1.7988912e+09`,
		`mirror_last_check_timestamp_seconds 1.7953481419e+09`, `mirror_release_age_seconds 17991`,
		`mirror_publishes_total{outcome="live"} 1`, `mirror_publishes_total{outcome="mixed"} 1`, `mirror_publishes_total{outcome="failed"} 0`,
		`mirror_publish_window_seconds_count 1`, `mirror_publish_window_seconds_bucket{le="5"} 1`, `mirror_publish_window_seconds_bucket{le="2.5"} 0`,
		`mirror_last_publish_success 0`,
		`mirror_job_runs_total{name="drift"} 1`, `mirror_job_failures_total{name="drift"} 1`, `mirror_job_duration_seconds_count{name="drift"} 1`,
		`mirror_job_overdue{name="daily"} 1`, `mirror_job_overdue{name="drift"} 0`,
		`mirror_notifications_sent_total 7`, `mirror_notifications_failed_total 2`, `mirror_history_readable 1`} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "forgotten") {
		t.Error("a job of no config became a label")
	}
	if !strings.Contains(before, `mirror_job_runs_total{name="drift"} 0`+"\n") || !strings.Contains(before, "mirror_last_publish_success 1\n") {
		t.Error("what was before the start is counted, or the latest publish is not known")
	}
}

// TestMetricsCountRecoveries counts each episode that ended since the daemon began once.
func TestMetricsCountRecoveries(t *testing.T) {
	var now atomic.Pointer[time.Time]
	set := func(at time.Time) { now.Store(&at) }
	set(noon())
	w := newWorld(t, func(o *dashboard.Options) { o.Now = func() time.Time { return *now.Load() } })
	for minute, found := range [][]diff.Difference{{stale("pages", "x")}, nil, {stale("bucket", "x")}, nil, {stale("bucket", "x")}} {
		w.check(noon().Add(time.Duration(minute+1)*time.Minute), found...)
		set(noon().Add(time.Duration(minute+1)*time.Minute + time.Second))
		w.metrics()
	}
	text := w.metrics()
	for _, want := range []string{
		`mirror_recovery_seconds_sum{origin="bucket"} 120`, `mirror_recovery_seconds_count{origin="bucket"} 1`,
		`mirror_recovery_seconds_count{origin="pages"} 0`, `mirror_recovery_seconds_count{origin="image"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

// TestMetricsAreOfTheLatestCheck has a page that was stale be unreachable, and an origin that was stale be down.
func TestMetricsAreOfTheLatestCheck(t *testing.T) {
	w := newWorld(t, withNotifications)
	w.check(noon().Add(-2*time.Minute), stale("bucket", "x"), stale("pages", "x"))
	silent := diff.Difference{Origin: "bucket", Path: "x", Kind: diff.Unreachable, Detail: "answered 500"}
	w.check(noon().Add(-time.Minute), silent, diff.Difference{Origin: "pages", Detail: "connection refused"})
	text := w.metrics()
	for _, want := range []string{
		`mirror_drift_pages{kind="stale",origin="bucket"} 0`, `mirror_drift_pages{kind="unreachable",origin="bucket"} 1`,
		`mirror_drift_pages{kind="stale",origin="pages"} 0`, `mirror_drift_pages{kind="unreachable",origin="pages"} 214`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

func TestNoOriginMakesASeries(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) { o.Origins = o.Origins[:1] })
	w.check(noon(), stale("bucket", "x"), diff.Difference{Origin: "pages", Path: "p", Kind: "invented"})
	text := w.metrics()
	if strings.Contains(text, `origin="bucket"`) || strings.Contains(text, "invented") {
		t.Error("a label has a value that is in no list of ours")
	}
}

func TestADifferenceForEveryPageCountsAsAll(t *testing.T) {
	w := newWorld(t, nil)
	w.check(noon(), diff.Difference{Origin: "pages", Path: "*", Kind: diff.Missing, Detail: "on all 214 pages"})
	if text := w.metrics(); !strings.Contains(text, `mirror_drift_pages{kind="missing",origin="pages"} 214`+"\n") {
		t.Error("one difference that stands for every page counts as one")
	}
}

func TestMetricsOfADamagedHistory(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) { o.Source = broken{o.Source} })
	text := w.metrics()
	if !strings.Contains(text, "mirror_history_readable 0\n") || strings.Contains(text, "mirror_origin_up{") {
		t.Errorf("got %s", text)
	}
}

var errBroken = errors.New("database disk image is malformed")

// TestWhatIsWatchedExists holds the alert rules and the Grafana dashboard to what /metrics has.
func TestWhatIsWatchedExists(t *testing.T) {
	w := newWorld(t, withNotifications)
	w.lived()
	text := w.metrics() + "up{"
	for _, file := range []string{"alerts.yml", "grafana.json"} {
		raw, err := os.ReadFile("../../docs/monitoring/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var anything any
		if err := yaml.Unmarshal(raw, &anything); err != nil { // JSON is YAML
			t.Fatalf("%s: %v", file, err)
		}
		names := regexp.MustCompile(`\b(?:mirror|go|process)_[a-z_]+\b`).FindAllString(string(raw), -1)
		if len(names) < 9 {
			t.Errorf("%s names only %q", file, names)
		}
		for _, name := range names {
			if !strings.Contains(text, "\n"+name+" ") && !strings.Contains(text, "\n"+name+"{") {
				t.Errorf("%s names %s, which /metrics has not", file, name)
			}
		}
	}
}
