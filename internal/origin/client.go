// Package origin fetches the live pages of an origin and tells what it answered, without
// judging it: the hot path of every check.
package origin

import (
	"crypto/tls"
	"math"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"mirror/internal/origin/facts"
	"mirror/site"
)

// Endpoint is where a site is served, and how it is asked.
type Endpoint struct {
	Name  string
	URL   *url.URL // its path ends with a slash
	Style site.URLStyle
	Front bool // a mirror front over the other origins
	CDN   bool // caches stand in front of it, so that a page may be old after it was new
	Cache CacheTraits
	Options
}

// Identity tells this origin from every other one, also from those that serve the same URL at another
// address.
func (e Endpoint) Identity() string {
	if e.Address == "" {
		return e.URL.String()
	}
	return e.URL.String() + " at " + e.Address
}

// Options bound how an origin is asked.
type Options struct {
	Concurrency int           // requests at once
	Rate        float64       // requests a second; 0 for no limit
	Pace        *Pace         // keeps the rate together with other clients; nil for one of its own
	Uniques     *Uniques      // requests past caches, together with other clients; nil for MostUnique of its own
	Waited      bool          // who asks waits for its turn in Pace, and asks again where it is refused
	Timeout     time.Duration // for an answer, beside the time that its body takes at slowest
	Confirm     int           // how often an answer that does not agree is asked for again
	Headers     []string      // headers to keep of each answer, beside the usual ones
	// Address, where set, is connected to in place of the URL's host, and no proxy is used: an
	// IP address or a host name, with the URL's port unless it has one. The request, the TLS
	// certificate and the verdict stay those of the URL.
	Address string
	// Transport carries the requests; nil for one tuned to the other options.
	Transport http.RoundTripper
}

// UserAgent is how the checker names itself.
const UserAgent = "mirror-check/1"

// keptHeaders are kept of every answer.
func keptHeaders() []string {
	return []string{"Content-Type", "Location", "Retry-After", "Cache-Control", "Etag", "Last-Modified", "Refresh", "Content-Disposition"}
}

// Client asks one origin. It is safe for concurrent use.
type Client struct {
	endpoint Endpoint
	options  Options
	base     string
	pace     *Pace
	limits   limits
	warm     http.RoundTripper // keeps its connections
	fresh    http.RoundTripper // a connection for each request
	header   http.Header       // of every request; shared, so never written to
	kept     []string          // canonical names of the headers to keep
	buffers  sync.Pool
	decoders *decoders
	learnt   facts.Book

	requests, bytes atomic.Int64
	refusals        atomic.Int64          // that were asked again
	answers         atomic.Int64          // that came whole, or were ended here for what they held
	failed          atomic.Pointer[error] // of the last request that had no answer
}

// New returns a client. Close it after use.
func New(at Endpoint) *Client {
	options := at.Options
	options.Concurrency = max(options.Concurrency, 1)
	if options.Pace == nil {
		options.Pace = NewPace(options.Rate)
	}
	if options.Uniques == nil {
		options.Uniques = NewUniques(MostUnique)
	}
	c := &Client{endpoint: at, options: options, base: at.URL.String(), pace: options.Pace, decoders: newDecoders(), kept: keptHeaders()}
	c.limits.probing = make(chan struct{}, 1)
	for _, name := range options.Headers {
		c.kept = append(c.kept, http.CanonicalHeaderKey(name))
	}
	c.header = http.Header{"User-Agent": {UserAgent}, "Accept-Encoding": {"gzip, br, zstd"}}
	c.buffers.New = func() any { b := make([]byte, 64<<10); return &b }
	c.warm = transport(options, false)
	c.fresh = transport(options, true)
	return c
}

// Endpoint returns what the client was made with.
func (c *Client) Endpoint() Endpoint { return c.endpoint }

// Rate returns how many requests a second are sent now, 0 for no limit: fewer than configured where
// the origin limits them.
func (c *Client) Rate() float64 { return c.pace.Rate() }

// Concurrency returns how many requests may be made at once, at least one.
func (c *Client) Concurrency() int { return c.options.Concurrency }

// PastCaches returns how many requests can still be sent past the caches without an effect on what visitors get.
func (c *Client) PastCaches() int {
	switch {
	case !c.endpoint.Cache.Private():
		return 0
	case c.endpoint.Cache.Directives:
		return math.MaxInt
	}
	return c.options.Uniques.Left()
}

// Close drops the connections that are kept.
func (c *Client) Close() {
	for _, t := range []http.RoundTripper{c.warm, c.fresh} {
		if idle, ok := t.(interface{ CloseIdleConnections() }); ok {
			idle.CloseIdleConnections()
		}
	}
}

// Counts tells how many requests were sent and how many bytes of bodies came back.
func (c *Client) Counts() (requests, bytes int64) { return c.requests.Load(), c.bytes.Load() }

// Received tells how many answers came, whole or ended here for what they held, and how many
// bytes of bodies.
func (c *Client) Received() (answers, bytes int64) { return c.answers.Load(), c.bytes.Load() }

// LastFailure returns why the last request that had no answer had none, nil before there is one.
func (c *Client) LastFailure() error {
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// transport returns what carries the requests. It is used without an http.Client, which
// would look into where a redirect leads: here that is told, not followed.
func transport(o Options, fresh bool) http.RoundTripper {
	if o.Transport != nil {
		return o.Transport
	}
	return &http.Transport{
		Proxy:                  o.proxy,
		DialContext:            o.dial(),
		OnProxyConnectResponse: proxyAnswer,
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
		HTTP2: &http.HTTP2Config{ // what a connection may hold unread, and when it is dead
			MaxReceiveBufferPerConnection: 4<<20 - 1,
			MaxReceiveBufferPerStream:     256 << 10,
			SendPingTimeout:               o.Timeout,
			PingTimeout:                   o.Timeout,
			WriteByteTimeout:              o.Timeout,
		},
	}
}

// Facts returns what was learnt so far. All but Mixed and Plain is of the first page that answered
// 200, or while there is none of the latest answer.
func (c *Client) Facts() facts.Facts { return c.learnt.Facts() }

// Limited tells how the origin has limited requests, and reports false where it has not.
func (c *Client) Limited() (Limited, bool) {
	l := &c.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	return Limited{l.refused, l.status, l.rate(), l.exceeded}, l.refused > 0
}

// Refuses reports whether the origin has served nothing since it refused a request for its limit.
func (c *Client) Refuses() bool { return c.pace.refuses() }

// Refusals counts the refusals by which the origin limits requests.
func (c *Client) Refusals() int64 { return c.refusals.Load() }

// Held is for how much longer the origin has asked to be left alone.
func (c *Client) Held() time.Duration { return c.pace.held() }

// RenewLimits gives an origin that was given up for its limit another chance.
func (c *Client) RenewLimits() {
	l := &c.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since, l.began, l.held, l.tooLong, l.answers, l.exceeded = time.Time{}, time.Time{}, 0, 0, 0, nil
}

// exceededLimit returns why the origin is not asked any more, nil while it is.
func (c *Client) exceededLimit() error {
	c.limits.mu.Lock()
	defer c.limits.mu.Unlock()
	return c.limits.exceeded
}
