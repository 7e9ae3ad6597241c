package purge

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/diff"
	"mirror/site"
)

// recorder is a cache that takes a second for a batch.
type recorder struct {
	batches []Batch
	at      []time.Time
	err     error
}

func (r *recorder) Purge(ctx context.Context, b Batch) (int, error) {
	r.batches, r.at = append(r.batches, b), append(r.at, time.Now())
	select {
	case <-ctx.Done():
		return 1, context.Cause(ctx)
	case <-time.After(time.Second):
	}
	return 1, r.err
}

func front(caches ...Cache) Front {
	f := Front{Name: "blog", URL: &url.URL{Scheme: "https", Host: "blog.example.com", Path: "/"}}
	for _, c := range caches {
		f.Caches = append(f.Caches, Named{"varnish", c})
	}
	return f
}

// TestStalePagesArePurgedAgain has an edge that shows the old page again and again.
func TestStalePagesArePurgedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		began := time.Now()
		j := Start(front(r), "id")
		j.Changed(diff.Changes{Change: []string{"a.html", "b.html"}})
		for range 3000 { // answers that are old, one every 0.1 s
			time.Sleep(100 * time.Millisecond)
			j.See("a.html", time.Now(), true)
			j.See("b.html", time.Now(), false)
			j.See("c.html", time.Now(), true) // the publish does not change it
		}
		report := j.Finish(t.Context())
		if report.Rounds != 1+againChanged || report.Err != nil || report.URLs != 3 || report.Began != began {
			t.Fatalf("got %+v", report)
		}
		if got := len(r.batches[1].URLs); got != 2 {
			t.Errorf("the second time %d URLs were purged: want a.html, and c.html once", got)
		}
		for i, b := range r.batches[2:] {
			if !slices.Equal(b.URLs, []string{"https://blog.example.com/a.html"}) || b.Again != i+2 {
				t.Errorf("round %d purged %v", i+2, b)
			}
		}
		for i := 2; i < len(r.at); i++ {
			if before, now := r.at[i-1].Sub(r.at[i-2]), r.at[i].Sub(r.at[i-1]); now < before || now > lastAgain+2*time.Second {
				t.Errorf("round %d began %s after the one before, which began %s after its own", i, now, before)
			}
		}
	})
}

// TestAnswersFromBeforeAPurgeDoNotCount has requests that began before the purge was done.
func TestAnswersFromBeforeAPurgeDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		j := Start(front(r), "id")
		j.Changed(diff.Changes{Change: []string{"a.html"}})
		early := time.Now()
		time.Sleep(2 * time.Second)
		j.See("a.html", early, true)
		time.Sleep(time.Minute)
		if report := j.Finish(t.Context()); report.Rounds != 1 {
			t.Errorf("got %+v", report)
		}
	})
}

// TestOldAnswersBeforeTheFirstPurge are what a watch sees before the origin changes; at the end of a publish they are stale.
func TestOldAnswersBeforeTheFirstPurge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			hear func(j *Job, path string, asked time.Time, old bool)
			want int
		}{{(*Job).Watched, 0}, {(*Job).See, 1}} {
			j := Start(front(&recorder{}), "id")
			c.hear(j, "a.html", time.Now(), true)
			time.Sleep(time.Minute)
			if report := j.Finish(t.Context()); report.Rounds != c.want {
				t.Errorf("got %+v, want %d rounds", report, c.want)
			}
		}
	})
}

// TestFinishWaitsForPurges and no longer than it may.
func TestFinishWaitsForPurges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, outer := &recorder{}, &recorder{err: errors.New("refused")}
		j := Start(front(inner, outer), "id")
		j.Changed(diff.Changes{Add: []string{"a.html"}})
		report := j.Finish(t.Context())
		if report.Rounds != 1 || report.Err == nil || report.Done.Sub(report.Began) != 2*time.Second || report.Requests != 2 {
			t.Errorf("got %+v", report)
		}
		if !inner.at[0].Before(outer.at[0]) {
			t.Error("the outer cache was purged before the inner one")
		}
		j = Start(front(&recorder{}), "id")
		j.Changed(diff.Changes{Add: []string{"a.html"}})
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("too late"))
		defer cancel()
		if report := j.Finish(ctx); report.Err == nil || !strings.Contains(report.Err.Error(), "too late") {
			t.Errorf("got %+v", report)
		}
		if report := Start(front(&recorder{}), "id").Finish(t.Context()); report.Rounds != 0 {
			t.Errorf("where nothing has changed: got %+v", report)
		}
	})
}

func TestURLs(t *testing.T) {
	base := &url.URL{Scheme: "https", Host: "example.com", Path: "/blog/"}
	for name, c := range map[string]struct {
		style   site.URLStyle
		changes diff.Changes
		want    []string
	}{
		"home":       {changes: diff.Changes{Change: []string{"index.html"}}, want: []string{"", "index.html"}},
		"page":       {changes: diff.Changes{Change: []string{"a/index.html"}}, want: []string{"a/", "a/index.html"}},
		"new":        {changes: diff.Changes{Add: []string{"a/index.html"}}, want: []string{"a", "a/", "a/index.html"}},
		"gone":       {changes: diff.Changes{Delete: []string{"a b/index.html"}}, want: []string{"a%20b", "a%20b/", "a%20b/index.html"}},
		"clean":      {style: site.URLStyle{CleanURLs: true}, changes: diff.Changes{Change: []string{"about.html"}}, want: []string{"about", "about.html"}},
		"no index":   {style: site.URLStyle{NoIndex: true}, changes: diff.Changes{Add: []string{"a/index.html"}}, want: []string{"a/index.html"}},
		"characters": {changes: diff.Changes{Change: []string{"c++ (1)*.html"}}, want: []string{"c%2B%2B%20%281%29%2A.html", "c++%20(1)%2A.html"}},
	} {
		var want []string
		for _, path := range c.want {
			want = append(want, "https://example.com/blog/"+path)
		}
		if got := urlsOf(base, c.style, pages(c.changes)); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
