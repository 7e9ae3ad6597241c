package origin_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/site"
)

// limiter decides which requests it refuses. The caller holds its mutex.
type limiter func(now time.Time) (ok bool)

// leaky is nginx's limit_req without delay: so many requests a second, and so many more at once.
func leaky(rate, burst float64) limiter {
	var excess float64
	var last time.Time
	return func(now time.Time) bool {
		left := max(0, excess-now.Sub(last).Seconds()*rate)
		if left > burst {
			return false
		}
		excess, last = left+1, now
		return true
	}
}

// windowed serves so many requests in each window of time.
func windowed(most int, window time.Duration) limiter {
	var began time.Time
	n := 0
	return func(now time.Time) bool {
		if now.Sub(began) >= window {
			began, n = now, 0
		}
		n++
		return n <= most
	}
}

// penal is windowed, and has who asks for too much wait for a while after the last request.
func penal(most int, window time.Duration) limiter {
	inner, until := windowed(most, window), time.Time{}
	return func(now time.Time) bool {
		if now.Before(until) {
			return false
		}
		if !inner(now) {
			until = now.Add(window)
			return false
		}
		return true
	}
}

// limitedOrigin serves pages over a limit, each after 20 ms.
type limitedOrigin struct {
	limit  limiter
	status int    // of a refusal
	after  string // its Retry-After

	mu              sync.Mutex
	served, refused int
}

// RoundTrip answers.
func (l *limitedOrigin) RoundTrip(r *http.Request) (*http.Response, error) {
	<-time.After(20 * time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limit(time.Now()) {
		l.served++
		return carrier(func(*http.Request) (int, string) { return 200, "" }).RoundTrip(r)
	}
	l.refused++
	return carrier(func(*http.Request) (int, string) { return l.status, l.after }).RoundTrip(r)
}

// TestLimitsAreSlowedDownFor has origins refuse what is too much, in all the ways in which servers
// do, and wants every page served, in a time that is not far from what the limit allows.
func TestLimitsAreSlowedDownFor(t *testing.T) {
	const pages, timeout = 600, 10 * time.Second
	for _, c := range []struct {
		name   string
		limit  func() limiter
		status int
		after  string
		rate   float64 // that is configured
		most   time.Duration
	}{
		{"429 at 20 a second", func() limiter { return leaky(20, 10) }, 429, "", 200, 60 * time.Second},
		{"503 at 20 a second", func() limiter { return leaky(20, 10) }, 503, "", 200, 60 * time.Second},
		{"403 at 20 a second", func() limiter { return leaky(20, 10) }, 403, "", 200, 60 * time.Second},
		{"429 at 20 a second, without a rate", func() limiter { return leaky(20, 10) }, 429, "", 0, 60 * time.Second},
		{"503 at 100 a second", func() limiter { return leaky(100, 20) }, 503, "", 200, 15 * time.Second},
		{"503 at 100 a second, without a burst", func() limiter { return leaky(100, 0) }, 503, "", 200, 20 * time.Second},
		{"429 at 2 a second", func() limiter { return leaky(2, 5) }, 429, "", 200, 600 * time.Second},
		{"just below what is configured", func() limiter { return leaky(180, 5) }, 503, "", 200, 10 * time.Second},
		{"429, 300 a minute", func() limiter { return windowed(300, time.Minute) }, 429, "", 200, 180 * time.Second},
		{"503, 100 in 10 seconds", func() limiter { return windowed(100, 10*time.Second) }, 503, "", 200, 120 * time.Second},
		{"403, 100 in 10 seconds", func() limiter { return windowed(100, 10*time.Second) }, 403, "", 200, 120 * time.Second},
		{"429, blocked for 10 seconds", func() limiter { return penal(100, 10*time.Second) }, 429, "", 200, 200 * time.Second},
		{"with a Retry-After", func() limiter { return leaky(20, 10) }, 429, "1", 200, 80 * time.Second},
		{"with a wrong Retry-After", func() limiter { return leaky(20, 10) }, 429, "0", 200, 60 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at := &limitedOrigin{limit: c.limit(), status: c.status, after: c.after}
				client := client(t, "http://origin.example", origin.Options{Concurrency: 16, Rate: c.rate, Timeout: timeout, Confirm: 1, Transport: at})
				began, wrong := time.Now(), map[string]int{}
				var mu sync.Mutex
				page := func(i int) origin.Page { return origin.Page{Path: fmt.Sprint(i), URL: fmt.Sprint(i)} }
				agrees := func(_ int, o site.Observation) bool { return o.Status == 200 && o.Err == nil }
				err := survey.Pages(t.Context(), client, pages, page, agrees, func(i int, o site.Observation) {
					if !agrees(i, o) {
						mu.Lock()
						wrong[fmt.Sprint(o.Status, o.Err)]++
						mu.Unlock()
					}
				})
				took := time.Since(began)
				l, limited := client.Limited()
				if err != nil || len(wrong) > 0 || took > c.most || !limited || l.Status != c.status {
					t.Errorf("took %s, want at most %s; not served: %v; %+v, %v", took, c.most, wrong, l, err)
				}
				if at.refused > at.served/2 {
					t.Errorf("%d requests were refused for %d that were served", at.refused, at.served)
				}
				t.Logf("took %s: %d served, %d refused, %.1f a second", took, at.served, at.refused, l.Rate)
			})
		})
	}
}

// TestPagesThatAreRefusedForThemselves has some pages of an origin refused and all others served,
// which is no limit: nothing is slowed down, and not much is asked for again.
func TestPagesThatAreRefusedForThemselves(t *testing.T) {
	const pages, timeout = 1000, 10 * time.Second
	for _, c := range []struct {
		status, each int
		most         int // requests
	}{
		{503, 1000, 1010}, {503, 20, 1200}, {503, 2, 2200}, {503, 1, 2200}, {403, 1000, 1010}, {403, 20, 1100}, {403, 2, 1600}, {403, 1, 1001}, {429, 1000, 1010},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			var mu sync.Mutex
			client := client(t, "http://origin.example", origin.Options{Concurrency: 16, Rate: 1000, Timeout: timeout, Transport: carrier(func(r *http.Request) (int, string) {
				<-time.After(time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				asked++
				var page int
				if fmt.Sscan(strings.TrimPrefix(r.URL.Path, "/"), &page); page%c.each == c.each/2 {
					return c.status, ""
				}
				return 200, ""
			})})
			refused, began := 0, time.Now()
			page := func(i int) origin.Page { return origin.Page{Path: fmt.Sprint(i), URL: fmt.Sprint(i)} }
			if err := survey.Pages(t.Context(), client, pages, page, agreeAll, func(_ int, o site.Observation) {
				mu.Lock()
				defer mu.Unlock()
				if o.Status == c.status && o.Err == nil {
					refused++
				}
			}); err != nil {
				t.Fatal(err)
			}
			if _, limited := client.Limited(); refused != pages/c.each || asked > c.most || limited || time.Since(began) > 10*time.Second {
				t.Errorf("%d for each of %d: %d pages are %d after %d requests and %s", c.status, c.each, refused, c.status, asked, time.Since(began))
			}
			t.Logf("%d for each of %d: %d requests, %s", c.status, c.each, asked, time.Since(began))
		})
	}
}

// TestLimitsThatLastAreGivenUp has origins refuse everything from some request on, and wants the
// end in time, and told.
func TestLimitsThatLastAreGivenUp(t *testing.T) {
	const timeout = 10 * time.Second
	for _, c := range []struct {
		name   string
		limit  limiter
		status int
		after  string
		most   time.Duration
		want   string
	}{
		{"from the first request on", func(time.Time) bool { return false }, 429, "", 40 * time.Second, "nothing but 429"},
		{"after a while, 429", windowed(100, time.Hour), 429, "", 100 * time.Second, "nothing but 429"},
		{"after a while, 503", windowed(100, time.Hour), 503, "", 50 * time.Second, "nothing but 503"},
		{"after a while, 403", windowed(100, time.Hour), 403, "", 50 * time.Second, "nothing but 403"},
		{"with a time that is too long", windowed(100, time.Hour), 429, "3600", 10 * time.Second, "1h0m0s"},
		{"with a short time each time", windowed(100, time.Hour), 429, "2", 100 * time.Second, "answered 429"},
		{"a few pages a minute", windowed(10, time.Minute), 429, "", 660 * time.Second, "in 10m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at := &limitedOrigin{limit: c.limit, status: c.status, after: c.after}
				client := client(t, "http://origin.example", origin.Options{Concurrency: 16, Rate: 200, Timeout: timeout, Transport: at})
				began := time.Now()
				if err := survey.Pages(t.Context(), client, 1000, noPage, agreeAll, func(int, site.Observation) {}); err != nil {
					t.Fatal(err)
				}
				l, _ := client.Limited()
				if took := time.Since(began); took > c.most || l.Exceeded == nil || !strings.Contains(l.Exceeded.Error(), c.want) || !strings.Contains(l.Exceeded.Error(), "check.rate") {
					t.Errorf("took %s, want at most %s: %v", took, c.most, l.Exceeded)
				}
				t.Logf("took %s: %d served, %d refused: %v", time.Since(began), at.served, at.refused, l.Exceeded)
			})
		})
	}
}
