// Package origin fetches the live pages of an origin and tells what it answered, without
// judging it: the hot path of every check.
package origin

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"mirror/site"
)

// Origin is where a site is served.
type Origin struct {
	Name  string
	URL   *url.URL // its path ends with a slash
	Style site.URLStyle
	CDN   bool // caches stand in front of it, so that a page may be old after it was new
}

// Options bound how an origin is asked.
type Options struct {
	Concurrency int           // requests at once
	Rate        float64       // requests a second; 0 for no limit
	Pace        *Pace         // keeps the rate together with other clients; nil for one of its own
	Waited      bool          // who asks has waited for its turn in Pace
	Timeout     time.Duration // for an answer, beside the time that its size takes at slowest
	Confirm     int           // how often an answer that does not agree is asked for again
	Headers     []string      // headers to keep of each answer, beside the usual ones
	// Transport carries the requests; nil for one tuned to the other options.
	Transport http.RoundTripper
}

// slowest is the slowest an origin may send a long body, in bytes a second.
const slowest = 128 << 10

// UserAgent is how the checker names itself.
const UserAgent = "mirror-check/1"

// keptHeaders are kept of every answer.
var keptHeaders = []string{"Content-Type", "Location", "Retry-After", "Cache-Control"}

// Page is one path to ask for.
type Page struct {
	Path string // manifest path
	URL  string // below the origin's base, percent-encoded
	Size int64  // of the body that is expected, in bytes
	// Past asks past the caches: with a query that nobody has used before.
	Past bool
	// ETag and Modified, where set, are of the page as it was last verified: the answer may
	// be 304 then (RFC 9110, section 13.1).
	ETag, Modified string
	// Keep, where set, gets the decoded body as it comes.
	Keep io.Writer
}

// slack is how much longer than expected a body may be and still be read to its end, so
// that a check can name what it got.
const slack = 1 << 20

func (p Page) limit() int64 { return p.Size + slack }

func (p Page) sink() io.Writer {
	if p.Keep == nil {
		return io.Discard
	}
	return p.Keep
}

// Client asks one origin. It is safe for concurrent use.
type Client struct {
	origin  Origin
	options Options
	base    string
	pace    *Pace
	warm    *http.Client // keeps its connections
	fresh   *http.Client // a connection for each request
	buffers sync.Pool

	requests, bytes atomic.Int64
}

// New returns a client. Close it after use.
func New(o Origin, options Options) *Client {
	if options.Concurrency < 1 {
		options.Concurrency = 1
	}
	if options.Pace == nil {
		options.Pace = NewPace(options.Rate)
	}
	c := &Client{origin: o, options: options, base: o.URL.String(), pace: options.Pace}
	c.buffers.New = func() any { b := make([]byte, 64<<10); return &b }
	c.warm = newHTTP(transport(options, false))
	c.fresh = newHTTP(transport(options, true))
	return c
}

// Close drops the connections that are kept.
func (c *Client) Close() {
	c.warm.CloseIdleConnections()
	c.fresh.CloseIdleConnections()
}

// Counts tells how many requests were sent and how many bytes of bodies came back.
func (c *Client) Counts() (requests, bytes int64) { return c.requests.Load(), c.bytes.Load() }

func newHTTP(t http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func transport(o Options, fresh bool) http.RoundTripper {
	if o.Transport != nil {
		return o.Transport
	}
	dialer := &net.Dialer{Timeout: o.Timeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    o.Timeout,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      fresh,
		DisableCompression:     true, // bodies are decoded here, within bounds
		MaxConnsPerHost:        o.Concurrency,
		MaxIdleConnsPerHost:    o.Concurrency,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		WriteBufferSize:        2 << 10,
		ReadBufferSize:         32 << 10,
	}
}

// Observe asks for n pages and gives each answer to see, from several goroutines at
// once. page is asked for each page when its turn comes, so that a large site costs little. An answer with which agrees does not agree is asked for again, on a fresh
// connection, up to Confirm times; see then gets the last one. The error is ctx's: what
// an origin does wrong is in the observations.
func (c *Client) Observe(ctx context.Context, n int, page func(i int) Page, agrees func(i int, o site.Observation) bool, see func(i int, o site.Observation)) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(c.options.Concurrency, n) {
		workers.Go(func() {
			for i := int(next.Add(1) - 1); i < n && ctx.Err() == nil; i = int(next.Add(1) - 1) {
				p := page(i)
				o := c.Fetch(ctx, p)
				for again := 0; again < c.options.Confirm && ctx.Err() == nil && !agrees(i, o); again++ {
					o = c.FetchFresh(ctx, p)
				}
				if ctx.Err() == nil {
					see(i, o)
				}
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("check %s: %w", c.origin.Name, err)
	}
	return nil
}
