package origin_test

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/site"
)

// TestConditionalRequests has an origin answer 304 to those who know the page.
func TestConditionalRequests(t *testing.T) {
	h := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", "Sat, 21 Nov 2026 10:00:00 GMT")
		if r.Header.Get("If-None-Match") == `"1"` || r.Header.Get("If-Modified-Since") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, page)
	}
	c := client(t, serve(t, h), origin.Options{})
	first := c.Fetch(t.Context(), ask)
	p := origin.Page{ETag: first.Header.Get("ETag"), Modified: first.Header.Get("Last-Modified")}
	if first.Status != 200 || p.ETag != `"1"` || p.Modified == "" {
		t.Fatalf("got %+v", first)
	}
	past := p
	past.BypassCache = true
	for name, c := range map[string]struct {
		got    site.Observation
		status int
	}{
		"both":                          {c.Fetch(t.Context(), p), 304},
		"the ETag":                      {c.Fetch(t.Context(), origin.Page{ETag: p.ETag}), 304},
		"the date":                      {c.Fetch(t.Context(), origin.Page{Modified: p.Modified}), 304},
		"another ETag":                  {c.Fetch(t.Context(), origin.Page{ETag: `"2"`}), 200},
		"an ETag that cannot be sent":   {c.Fetch(t.Context(), origin.Page{ETag: "\"1\"\r\nX: y"}), 200},
		"a fresh look":                  {c.FetchFresh(t.Context(), p), 200},
		"a look past the caches":        {c.Fetch(t.Context(), past), 200},
		"after conditions no condition": {c.Fetch(t.Context(), ask), 200},
	} {
		if c.got.Err != nil || c.got.Status != c.status || c.got.Digest.IsZero() != (c.status == 304) {
			t.Errorf("%s: got %+v", name, c.got)
		}
	}
	if text, err := c.FetchBody(t.Context(), p); err != nil || string(text) != page {
		t.Errorf("body: got %q, %v", text, err)
	}
}

// TestPastTheCaches has an edge serve an old page, and the origin behind it the new one.
func TestPastTheCaches(t *testing.T) {
	var mu sync.Mutex
	var queries []string
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		queries = append(queries, r.URL.RawQuery)
		if r.URL.RawQuery == "" {
			io.WriteString(w, "old")
			return
		}
		io.WriteString(w, page)
	})
	u, err := url.Parse(base + "/")
	if err != nil {
		t.Fatal(err)
	}
	for cdn, asked := range map[bool]int{true: 3, false: 2} {
		queries = nil
		c := origin.New(origin.Endpoint{URL: u, CDN: cdn, Options: origin.Options{Timeout: time.Minute, Confirm: 1}})
		t.Cleanup(c.Close)
		agrees := func(_ int, o site.Observation) bool { return o.Digest == sha256.Sum256([]byte(page)) }
		var got site.Observation
		if err := survey.Pages(t.Context(), c, 1, noPage, agrees, func(_ int, o site.Observation) { got = o }); err != nil {
			t.Fatal(err)
		}
		if got.Digest != sha256.Sum256([]byte("old")) || len(queries) != asked || (got.PastCaches != nil) != cdn {
			t.Errorf("cdn %v: got %+v after %q", cdn, got, queries)
		}
		if cdn && (got.PastCaches.Digest != sha256.Sum256([]byte(page)) || queries[2] == "") {
			t.Errorf("past the caches: got %+v by %q", got.PastCaches, queries)
		}
	}
}

// carrier answers requests without a network.
type carrier func(r *http.Request) (status int, retryAfter string)

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	status, after := c(r)
	h := http.Header{}
	if after != "" {
		h.Set("Retry-After", after)
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", Header: h, Body: io.NopCloser(strings.NewReader(page))}, nil
}

// TestRetryAfter has an origin ask to be left alone, for long and for too long.
func TestRetryAfter(t *testing.T) {
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for name, c := range map[string]struct {
		after  func() string
		busy   int // how often the origin says so
		status int
		asked  int
		took   time.Duration
		err    bool
	}{
		"seconds":            {func() string { return "4" }, 1, 200, 2, 4 * time.Second, false},
		"twice":              {func() string { return "4" }, 2, 200, 3, 8 * time.Second, false},
		"six times":          {func() string { return "4" }, 6, 503, 6, 20 * time.Second, true},
		"no time":            {func() string { return "0" }, 1, 200, 2, 0, false},
		"for ever no time":   {func() string { return "0" }, 1000, 503, 3, 0, false},
		"a date":             {func() string { return in(4 * time.Second) }, 1, 200, 2, 4 * time.Second, false},
		"a date that was":    {func() string { return in(-time.Hour) }, 1, 200, 2, 0, false},
		"too long":           {func() string { return "3600" }, 1, 503, 1, 0, true},
		"a date too late":    {func() string { return in(200 * 365 * 24 * time.Hour) }, 1, 503, 1, 0, true},
		"out of every bound": {func() string { return "99999999999999999999" }, 1, 200, 2, 0, false},
		"nonsense":           {func() string { return "\x1b[31m" }, 1, 200, 2, 0, false},
		"negative":           {func() string { return "-1" }, 1, 200, 2, 0, false},
		"nothing":            {func() string { return "" }, 1, 200, 2, 0, false},
		"for ever nothing":   {func() string { return "" }, 1000, 503, 3, 0, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			o := client(t, "http://origin.example", origin.Options{Timeout: 10 * time.Second, Transport: carrier(func(*http.Request) (int, string) {
				if asked++; asked <= c.busy {
					return 503, c.after()
				}
				return 200, ""
			})})
			began := time.Now()
			got := o.Fetch(t.Context(), ask)
			if got.Status != c.status || asked != c.asked || time.Since(began) != c.took || errors.Is(got.Err, origin.Busy) != c.err {
				t.Errorf("%s: got %d, %v after %d requests and %s", name, got.Status, got.Err, asked, time.Since(began))
			}
		})
	}
}

// TestRetryAfterHoldsAllBack asks for other pages meanwhile: they wait too, and all of them
// together no longer than six timeouts.
func TestRetryAfterHoldsAllBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var until time.Time
		var early, asked, holds int
		c := client(t, "http://origin.example", origin.Options{Concurrency: 4, Timeout: 10 * time.Second, Transport: carrier(func(r *http.Request) (int, string) {
			<-time.After(100 * time.Millisecond) // on the way
			mu.Lock()
			defer mu.Unlock()
			if asked++; time.Now().Before(until) {
				early++
			}
			if asked%10 == 0 {
				if holds++; holds <= 6 { // 54 seconds; the client does not wait for a seventh
					until = time.Now().Add(9 * time.Second)
				}
				return 429, "9"
			}
			return 200, ""
		})})
		began := time.Now()
		var busy atomic.Int32
		if err := survey.Pages(t.Context(), c, 1000, noPage, agreeAll, func(_ int, o site.Observation) {
			if errors.Is(o.Err, origin.Busy) {
				busy.Add(1)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 90*time.Second || busy.Load() < 90 {
			t.Errorf("took %s, and %d pages were given up", took, busy.Load())
		}
		if early > 6*6 || holds < 7 { // those that were on their way
			t.Errorf("%d requests came though the origin wanted none", early)
		}
	})
}

// TestFreshIsFreshByHTTP2 counts connections.
func TestFreshIsFreshByHTTP2(t *testing.T) {
	var mu sync.Mutex
	conns := map[string]bool{}
	base := serveTLS(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		conns[r.RemoteAddr] = true
		fmt.Fprint(w, r.Proto)
	}, &tls.Config{Certificates: []tls.Certificate{certificate(trusted, nil)}})
	c := client(t, base, origin.Options{Concurrency: 4})
	for i, fetch := range slices.Repeat([]func() ([]byte, error){
		func() ([]byte, error) { return c.FetchBody(t.Context(), ask) },
		func() ([]byte, error) { return c.FetchBodyFresh(t.Context(), ask) },
	}, 5) {
		if text, err := fetch(); err != nil || string(text) != "HTTP/2.0" {
			t.Errorf("request %d: got %q, %v", i, text, err)
		}
	}
	if requests, _ := c.Counts(); requests != 10 || len(conns) != 6 {
		t.Errorf("%d requests on %d connections, want 10 on 6", requests, len(conns))
	}
}

// TestBodyDecodes has a page's bytes come encoded.
func TestBodyDecodes(t *testing.T) {
	for _, encoding := range []string{"gzip", "br", "zstd", "deflate", "bare deflate"} {
		body := packed(t, encoding)
		c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", strings.TrimPrefix(encoding, "bare "))
			w.Write(body)
		}), origin.Options{})
		for range 2 { // the second time with a decoder that was used before
			if text, err := c.FetchBody(t.Context(), ask); err != nil || string(text) != page {
				t.Errorf("%s: got %q, %v", encoding, text, err)
			}
		}
	}
}
