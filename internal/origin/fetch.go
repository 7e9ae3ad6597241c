package origin

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"mirror/site"
)

// Fetch asks for a page once.
func (c *Client) Fetch(ctx context.Context, p Page) site.Observation {
	return c.ask(ctx, request{Page: p, via: c.warm})
}

// FetchFresh asks for a page once, on a connection of its own and whatever is known of it.
func (c *Client) FetchFresh(ctx context.Context, p Page) site.Observation {
	p.ETag, p.Modified = "", ""
	return c.ask(ctx, request{Page: p, via: c.fresh})
}

// Body returns the bytes of a page that answers 200, decoded as Fetch decodes them, which
// may be slack longer than expected.
func (c *Client) Body(ctx context.Context, p Page) ([]byte, error) { return c.body(ctx, c.warm, p) }

// BodyFresh is Body on a connection of its own.
func (c *Client) BodyFresh(ctx context.Context, p Page) ([]byte, error) {
	return c.body(ctx, c.fresh, p)
}

func (c *Client) body(ctx context.Context, via http.RoundTripper, p Page) ([]byte, error) {
	var text bytes.Buffer
	p.ETag, p.Modified = "", ""
	p.Keep = func(int, http.Header) io.Writer { text.Reset(); return &text }
	o := c.ask(ctx, request{Page: p, via: via})
	switch {
	case o.Err != nil:
		return nil, o.Err
	case o.Status != http.StatusOK:
		return nil, fmt.Errorf("answered %d", o.Status)
	}
	return text.Bytes(), nil
}

// request is one page and how to ask for it.
type request struct {
	Page
	via http.RoundTripper
}

// conditional reports whether the origin may say that the page is as it was.
func (r request) conditional() bool { return !r.BypassCache && (r.ETag != "" || r.Modified != "") }

// ask asks until the origin no longer says that it should be asked later.
func (c *Client) ask(ctx context.Context, r request) site.Observation {
	for tries := 0; ; tries++ {
		o := c.once(ctx, r)
		if !c.later(ctx, &o, tries) {
			return o
		}
	}
}

func (c *Client) once(ctx context.Context, r request) site.Observation {
	o := site.Observation{Path: r.Path, URL: c.base + r.URL}
	if r.BypassCache {
		o.URL += "?mirror=" + rand.Text()
	}
	if err := c.turn(ctx); err != nil {
		o.Err = err
		return o
	}
	a := c.attempt(ctx, r)
	defer a.end()
	o.Asked = time.Now()
	err := a.exchange(&o)
	o.Answered = time.Now()
	if err != nil {
		o.Digest, o.Err = site.Digest{}, a.explain(err, o)
	}
	c.count(ctx, o)
	return o
}

// count counts an answer for Received, and remembers a failure for LastFailure.
func (c *Client) count(ctx context.Context, o site.Observation) {
	switch {
	case o.Status != 0 && !errors.Is(o.Err, TimedOut):
		c.answers.Add(1)
	case ctx.Err() == nil:
		c.failed.Store(&o.Err)
	}
}

// turn waits until the origin may be asked.
func (c *Client) turn(ctx context.Context) error {
	if c.options.Waited {
		return ctx.Err()
	}
	if err := c.hold.rest(ctx); err != nil {
		return err
	}
	return c.pace.Wait(ctx)
}

// attempt is a request on its way.
type attempt struct {
	request
	client   *Client
	ctx      context.Context
	patience *patience
	tries    int // how often net/http has sent it
}

func (c *Client) attempt(ctx context.Context, r request) *attempt {
	a := &attempt{request: r, client: c}
	a.ctx, a.patience = patiently(ctx, c.options.Timeout)
	return a
}

func (a *attempt) end() { a.patience.end() }

// traced has what net/http sends again by itself, when a connection turns out to be broken
// or refuses it, wait for a turn of its own and count.
func (a *attempt) traced() context.Context {
	waited := false
	turn := func() {
		if a.tries > 0 && !waited && a.client.pace.Wait(a.ctx) == nil { // else it ends with ctx
			a.client.requests.Add(1)
		}
		waited = true
	}
	return httptrace.WithClientTrace(a.ctx, &httptrace.ClientTrace{
		GetConn: func(string) { turn() },
		GotConn: func(httptrace.GotConnInfo) { // HTTP/2 tries again without GetConn
			turn()
			a.tries, waited = a.tries+1, false
		},
	})
}

func (a *attempt) exchange(o *site.Observation) error {
	req, err := http.NewRequestWithContext(a.traced(), http.MethodGet, o.URL, nil)
	if err != nil {
		return err
	}
	req.Header = a.header()
	a.client.requests.Add(1)
	resp, err := a.via.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	a.client.learnt.from(resp)
	return a.receive(resp, o)
}

func (a *attempt) header() http.Header {
	if !a.conditional() {
		return a.client.header
	}
	h := a.client.header.Clone()
	if isFieldValue(a.ETag) {
		h.Set("If-None-Match", a.ETag)
	}
	if isFieldValue(a.Modified) {
		h.Set("If-Modified-Since", a.Modified)
	}
	return h
}

// isFieldValue reports whether text, which an origin once sent, may be sent back.
func isFieldValue(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return text != "" && len(text) < 1<<10
}

// receive takes an answer whose header has come. Of a redirect the header is enough.
func (a *attempt) receive(resp *http.Response, o *site.Observation) error {
	o.Header = a.client.keep(resp.Header)
	if resp.StatusCode < 100 {
		return fail(Malformed, "its status is below 100", nil)
	}
	o.Status = resp.StatusCode
	switch {
	case o.Status == http.StatusSwitchingProtocols: // what follows is no body
		return nil
	case o.Status == http.StatusNotModified && a.conditional():
		return nil
	}
	err := a.read(resp, o)
	if err != nil && o.Status/100 == 3 && o.Header.Get("Location") != "" {
		o.Digest = site.Digest{}
		return nil
	}
	return err
}

func (c *Client) keep(h http.Header) http.Header {
	kept := make(http.Header, len(c.kept))
	for _, name := range c.kept {
		if v := h[name]; len(v) > 0 {
			kept[name] = v
		}
	}
	return kept
}
