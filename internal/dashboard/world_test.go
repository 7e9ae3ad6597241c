package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/dashboard"
	"mirror/internal/history"
	"mirror/reports"
	"mirror/site"
)

// noon is when the world is looked at.
func noon() time.Time { return time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC) }

// world is a dashboard over a real history, on a server.
type world struct {
	t         *testing.T
	store     *history.Store
	dashboard *dashboard.Dashboard
	server    *httptest.Server
	token     string // given with each request, "" for none
}

// instant is a time that a document may leave out.
func instant(t time.Time) *time.Time { return &t }

// newWorld makes an empty one; change adds to the options.
func newWorld(t *testing.T, change func(*dashboard.Options)) *world {
	t.Helper()
	store, err := history.Open(t.Context(), filepath.Join(t.TempDir(), history.Name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	o := dashboard.Options{
		Source: store, Version: "1.2.3", Now: noon,
		Origins: []dashboard.Origin{
			{Name: "pages", URL: "https://me.github.io/"}, {Name: "bucket", URL: "https://blog.example.com/"}, {Name: "image", URL: "https://blog.example.run/"},
		},
		Jobs: func() []reports.Job {
			return []reports.Job{
				{Name: "drift", Run: "check", Cron: "*/15 * * * *", Describe: "every 15 minutes", Next: instant(noon().Add(4 * time.Minute))},
				{Name: "daily", Run: "report", Cron: "0 9 * * *", Describe: "every day at 09:00", Next: instant(noon().Add(21 * time.Hour))},
			}
		},
	}
	if change != nil {
		change(&o)
	}
	w := &world{t: t, store: store, dashboard: dashboard.New(o)}
	w.server = httptest.NewServer(w.dashboard)
	t.Cleanup(w.server.Close)
	t.Cleanup(w.dashboard.Close)
	return w
}

func release(n int) site.ID {
	return site.ID(strings.Repeat(fmt.Sprintf("%08x", n*2654435761%(1<<32)), 8))
}

// check records a check of all three origins, with these differences on top.
func (w *world) check(at time.Time, differences ...diff.Difference) {
	w.t.Helper()
	v := diff.Verdict{Release: release(3), Pages: 214, Started: at, Elapsed: 1900 * time.Millisecond}
	for _, name := range []string{"pages", "bucket", "image"} {
		o := diff.OriginVerdict{Name: name, URL: "https://" + name + ".example/", Release: release(3), Pages: 214, Match: 214, Requests: 216, Bytes: 3_400_000,
			Elapsed: 1700 * time.Millisecond, Facts: diff.Facts{Protocol: "HTTP/2.0", TLS: "TLS 1.3", Expires: noon().AddDate(0, 0, 41)},
			Slowest: []diff.Slow{{Path: "posts/first-light/index.html", Took: 412 * time.Millisecond}, {Path: "index.html", Took: 97 * time.Millisecond}}}
		if name == "bucket" {
			o.Facts.Names, o.Facts.Issuer, o.Facts.Plain = []string{"a.example", "b.example"}, "an authority", &diff.PlainHTTP{Status: 404}
			o.Facts.Mixed, o.Facts.MixedExamples = 1, []diff.MixedResource{{Page: "index.html", Element: "img", URL: "http://cdn.example/<b>"}}
		}
		for _, d := range differences {
			if d.Origin == name && d.Path == "" {
				o.Err, o.Match = errors.New(d.Detail), 0
			} else if d.Origin == name {
				o.Differences = append(o.Differences, d)
				o.Match--
			}
		}
		v.Origins = append(v.Origins, o)
	}
	c, all := history.CheckOf(v)
	c.Job = "drift"
	if _, err := w.store.RecordCheck(context.Background(), c, all); err != nil {
		w.t.Fatal(err)
	}
}

func stale(origin, path string) diff.Difference {
	return diff.Difference{
		Origin: origin, Path: path, URL: "https://" + origin + ".example/" + path, Kind: diff.Stale, Status: 200, Release: release(2), Behind: 1,
		Detail:  "1 behind",
		Excerpt: "@@ -3,5 +3,5 @@\n <head>\n <title>First light</title>\n-<meta name=\"build\" content=\"2026-11-22\">\n+<meta name=\"build\" content=\"2026-11-19\">\n </head>\n <body>",
	}
}

// publish records a publish with a window.
func (w *world) publish(n int, at time.Time, outcome string) int64 {
	w.t.Helper()
	p := history.Publish{Started: at, Elapsed: 9 * time.Second, Outcome: outcome, Release: release(n), Previous: release(n - 1), Files: 214, Sent: 734_000}
	for i, name := range []string{"pages", "bucket", "image"} {
		one := history.PublishTarget{Name: name, Type: []string{"git", "s3", "oci"}[i], From: release(n - 1), To: release(n), Add: 2, Change: 9, Delete: 1, Same: 203,
			SentFiles: 11, SentBytes: 244_000, Stage: time.Duration(900+400*i) * time.Millisecond, Commit: 31 * time.Millisecond, Committed: at.Add(3 * time.Second)}
		if outcome == "rolled_back" && name == "bucket" {
			one.Committed, one.Commit, one.Err = time.Time{}, 0, "put object: access denied (hint: may the key write to the bucket?)"
		}
		p.Details.Targets = append(p.Details.Targets, one)
	}
	if outcome == "diverged" {
		p.Details.Reason = "bucket: 2 differences, such as stale index.html"
	}
	if outcome == "live" || outcome == "diverged" {
		p.Window = window(at)
	} else {
		p.Err = "bucket: put object: access denied (hint: may the key write to the bucket?)"
	}
	id, err := w.store.RecordPublish(context.Background(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// window is one that lasted between 3.1 and 3.9 seconds.
func window(at time.Time) *diff.Window {
	bounds := func(after, before int) diff.Bounds {
		return diff.Bounds{After: at.Add(time.Duration(after) * time.Millisecond), Before: at.Add(time.Duration(before) * time.Millisecond)}
	}
	w := &diff.Window{Closed: true, Lower: 3100 * time.Millisecond, Upper: 3900 * time.Millisecond, Pages: 12}
	w.Origins = []diff.OriginWindow{
		{Name: "pages", FirstNew: bounds(2900, 3300), AllNew: bounds(4300, 4700), Polls: 412},
		{Name: "bucket", FirstNew: bounds(1000, 1400), AllNew: bounds(1900, 2300), Polls: 640, Reversals: 2, Flaps: true},
		{Name: "image", FirstNew: bounds(4400, 4600), AllNew: bounds(4500, 4900), Polls: 633},
	}
	for i := range 40 {
		w.Fresh = append(w.Fresh, diff.Freshness{T: time.Duration(i) * 125 * time.Millisecond, P: min(1, max(0, float64(i*i-64)/1300))})
	}
	w.Fresh[39].P = 1
	return w
}

// lived fills a month of history, with one drift that lasts.
func (w *world) lived() {
	w.t.Helper()
	for day := 29; day > 0; day-- {
		for hour := range 6 {
			at := noon().AddDate(0, 0, -day).Add(time.Duration(hour*4-12) * time.Hour)
			switch {
			case day == 20 && hour < 4:
				w.check(at, diff.Difference{Origin: "image", Detail: "dial tcp 203.0.113.9:443: connect: connection refused"})
			case day == 9 && hour == 2, day == 16 && hour > 3:
				w.check(at, stale("pages", "about/index.html"), stale("pages", "index.html"))
			default:
				w.check(at)
			}
		}
	}
	w.publish(1, noon().AddDate(0, 0, -6), "live")
	w.publish(2, noon().AddDate(0, 0, -3), "rolled_back")
	w.publish(3, noon().Add(-5*time.Hour), "live")
	w.check(noon().Add(-26 * time.Minute))
	w.check(noon().Add(-11*time.Minute), stale("bucket", "posts/first-light/index.html"), stale("bucket", "index.html"))
	w.run("drift", noon().Add(-26*time.Minute), "done", "", "3 origins agree on release, 214 pages each\n")
	w.run("daily", noon().Add(-3*time.Hour), "failed", "smtp: connection refused", "report written\nsmtp: connection refused\n")
	w.run("drift", noon().Add(-11*time.Minute), "done", "", "bucket: 2 stale\n")
}

func (w *world) run(job string, at time.Time, outcome, failure, log string) {
	w.t.Helper()
	r := history.Run{Job: job, Slot: at, Started: at}
	if _, err := w.store.BeginRun(context.Background(), r); err != nil {
		w.t.Fatal(err)
	}
	r.Elapsed, r.Outcome, r.Err, r.Log = 2100*time.Millisecond, outcome, failure, log
	if err := w.store.EndRun(context.Background(), r); err != nil {
		w.t.Fatal(err)
	}
}
