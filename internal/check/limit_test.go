package check_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/site"
)

// carrier answers requests in the time of synctest, without a network.
type carrier func(n int, r *http.Request) *http.Response

// counted numbers the requests of a carrier.
type counted struct {
	answer carrier
	n      atomic.Int32
}

// RoundTrip gives no answer, until the request is given up, where the carrier gives nil.
func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	if resp := c.answer(int(c.n.Add(1)), r); resp != nil {
		resp.Request = r
		return resp, nil
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func respond(status int, body io.Reader, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"text/html"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", Header: h, Body: io.NopCloser(body)}
}

// takes has an answer take a while.
func takes(r *http.Request, d time.Duration) {
	select {
	case <-r.Context().Done():
	case <-time.After(d):
	}
}

// drip is a body of one byte a second, without end.
type drip struct{ ctx context.Context }

func (d drip) Read(p []byte) (int, error) {
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-time.After(time.Second):
	}
	p[0] = '.'
	return 1, nil
}

// limitSite is a site of many pages, and an answer that is right for each.
func limitSite() (check.Options, carrier) {
	many := files{}
	for i := range 100 {
		many[fmt.Sprintf("%02d.html", i)] = fmt.Sprintf("page %d", i)
	}
	m := many.manifest()
	beacon := site.NewRelease(m, nil, site.DefaultBeacon, time.Now()).Beacon()
	o := check.Options{Release: m.ID(), Manifest: m, BeaconPath: site.DefaultBeacon}
	return o, func(_ int, r *http.Request) *http.Response {
		path := strings.TrimPrefix(r.URL.Path, "/")
		if path == site.DefaultBeacon {
			return respond(200, bytes.NewReader(beacon))
		}
		if text, ok := many[path]; ok {
			return respond(200, strings.NewReader(text))
		}
		return respond(404, strings.NewReader("no such page"))
	}
}

// TestChecksEndInTime has origins that hang, drip, stall and never change, and wants every look
// to end when it should: with all the time that its limits leave, and 2 seconds more.
func TestChecksEndInTime(t *testing.T) {
	const timeout, patience, grace = 10 * time.Second, 5 * time.Second, 2 * time.Second
	never := func(int, *http.Request) *http.Response { return nil }
	dripping := func(_ int, r *http.Request) *http.Response { return respond(200, drip{r.Context()}) }
	o, right := limitSite()
	wrong := func(n int, r *http.Request) *http.Response {
		if strings.HasSuffix(r.URL.Path, ".html") {
			return respond(200, strings.NewReader("altered"))
		}
		return right(n, r)
	}
	after := func(most int, first, then carrier) carrier {
		return func(n int, r *http.Request) *http.Response {
			if n <= most {
				return first(n, r)
			}
			return then(n, r)
		}
	}
	busy := func(int, *http.Request) *http.Response {
		return respond(503, strings.NewReader("later"), "Retry-After", "9")
	}
	refused := func(status int) carrier {
		return func(int, *http.Request) *http.Response {
			return respond(status, strings.NewReader("too many requests"))
		}
	}
	slow := func(n int, r *http.Request) *http.Response { takes(r, 500*time.Millisecond); return right(n, r) }
	for _, c := range []struct {
		name     string
		answer   carrier
		patience time.Duration
		limit    time.Duration
		rate     float64
		most     time.Duration // that it may take
		agrees   bool
		says     string
	}{
		{name: "right", answer: right, patience: patience, agrees: true},
		{name: "right, asked once", answer: right, agrees: true},
		{name: "hangs, asked once", answer: never, most: timeout + grace},
		{name: "drips, asked once", answer: dripping, most: timeout + grace},
		{name: "hangs", answer: never, patience: patience, most: patience + grace},
		{name: "drips", answer: dripping, patience: patience, most: patience + grace},
		{name: "hangs, with a limit", answer: never, limit: patience, most: patience + grace},
		{name: "never agrees", answer: wrong, patience: patience, most: patience + grace},
		{name: "asks for later", answer: busy, patience: patience, most: patience + grace},
		{name: "asks for later, asked once", answer: busy, most: 8 * timeout},
		{name: "limits", answer: refused(429), patience: patience, most: patience + grace},
		{name: "limits, asked once", answer: refused(429), most: 4 * timeout, says: "nothing but 429"},
		{name: "is down, asked once", answer: refused(503), most: timeout},
		{name: "limits after a while", answer: after(50, right, refused(429)), patience: patience, most: patience + grace},
		{name: "limits after a while, asked once", answer: after(50, right, refused(429)), most: 9 * timeout, says: "49 of 101 pages were judged: busy: the origin limits requests"},
		{name: "limits after a while by 503, asked once", answer: after(50, right, refused(503)), most: 4 * timeout, says: "check.rate"},
		{name: "hangs after a while", answer: after(50, right, never), patience: patience, most: patience + grace},
		{name: "hangs after a while, asked once", answer: after(50, right, never), most: 2 * (timeout + grace)},
		{name: "hangs after it was altered", answer: after(300, wrong, never), patience: patience, most: patience + grace},
		{name: "hangs at a low rate", answer: never, patience: patience, rate: 2, most: patience + grace},
		{name: "answers slowly, and is read to its end", answer: slow, patience: patience, most: 20 * time.Second, agrees: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at := origin.Endpoint{Name: "a", URL: &url.URL{Scheme: "http", Host: "a.example", Path: "/"}, Options: origin.Options{
					Concurrency: 4, Timeout: timeout, Confirm: 1, Rate: c.rate, Transport: &counted{answer: c.answer},
				}}
				o := o
				o.Limit = c.limit
				began := time.Now()
				v, err := check.Await(t.Context(), []origin.Endpoint{at}, o, c.patience)
				if took := time.Since(began); took > c.most {
					t.Errorf("took %s, want at most %s", took, c.most)
				}
				if err != nil || v.Agree() != c.agrees {
					t.Errorf("got %v, %v, %v", v.Agree(), v.Origins[0].Err, err)
				}
				if !c.agrees && v.Origins[0].State() == diff.Agrees {
					t.Error("it agrees")
				}
				if c.says != "" && (v.Origins[0].Err == nil || !strings.Contains(v.Origins[0].Err.Error(), c.says)) {
					t.Errorf("got %v, want it to say %q", v.Origins[0].Err, c.says)
				}
				t.Logf("took %s; %v", time.Since(began), v.Origins[0].Err)
			})
		})
	}
}
