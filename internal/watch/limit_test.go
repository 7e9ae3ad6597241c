package watch_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/origin"
	"mirror/internal/watch"
)

// limited serves editions of many pages, and refuses all requests for a while after more than so
// many came within a second.
type limited struct {
	status, most int
	penalty      time.Duration
	editions     []map[string][]byte

	mu              sync.Mutex
	edition         int
	recent          []time.Time
	until           time.Time
	served, refused int
}

// RoundTrip answers.
func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	<-time.After(5 * time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for len(l.recent) > 0 && now.Sub(l.recent[0]) >= time.Second {
		l.recent = l.recent[1:]
	}
	if l.recent = append(l.recent, now); len(l.recent) > l.most {
		l.until = now.Add(l.penalty)
	}
	body, status := l.editions[l.edition][strings.TrimPrefix(r.URL.Path, "/")], http.StatusOK
	if now.Before(l.until) {
		l.refused++
		body, status = nil, l.status
	} else {
		l.served++
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
}

// TestWatchOfALimitingOrigin has an origin that refuses everything while it is asked for too much:
// the watch slows down and sees the change.
func TestWatchOfALimitingOrigin(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		synctest.Test(t, func(t *testing.T) {
			const many = 20
			l := &limited{status: status, most: 20, penalty: 3 * time.Second, editions: []map[string][]byte{bulk(many, 1), bulk(many, 2)}}
			at := origin.Endpoint{Name: "a", URL: &url.URL{Scheme: "http", Host: "a.example", Path: "/"}, Options: origin.Options{
				Concurrency: 16, Rate: 200, Timeout: 10 * time.Second, Transport: l,
			}}
			w := watch.Start(t.Context(), []origin.Endpoint{at}, watch.Options{
				Began: time.Now(), Changes: between(l.editions[0], l.editions[1]), Release: releaseOf(2), BeaconPath: beacon, RateKey: "--rate",
			})
			defer w.Stop()
			time.Sleep(30 * time.Second)
			l.mu.Lock()
			l.edition = 1
			l.mu.Unlock()
			began := time.Now()
			settled := make(chan struct{})
			go func() { w.Settle(t.Context(), []string{"a"}); close(settled) }()
			select {
			case <-settled:
			case <-time.After(time.Minute):
				t.Errorf("%d: the change was not seen in a minute", status)
			}
			if notes := w.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "a limits requests: it refused") || !strings.Contains(notes[0], "set --rate to") {
				t.Errorf("%d: the notes are %q", status, notes)
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.refused > l.served {
				t.Errorf("%d: %d requests were refused, and %d served", status, l.refused, l.served)
			}
			t.Logf("%d: settled in %s; %d served, %d refused; window %+v", status, time.Since(began), l.served, l.refused, w.Window().Upper)
		})
	}
}
