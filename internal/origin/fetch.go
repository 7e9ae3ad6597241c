package origin

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
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

// FetchBody returns the bytes of a page that answers 200, decoded as Fetch decodes them, which
// may be slack longer than expected.
func (c *Client) FetchBody(ctx context.Context, p Page) ([]byte, error) {
	return c.body(ctx, c.warm, p)
}

// FetchBodyFresh is FetchBody on a connection of its own.
func (c *Client) FetchBodyFresh(ctx context.Context, p Page) ([]byte, error) {
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

func (a *attempt) exchange(o *site.Observation) error {
	req, err := http.NewRequestWithContext(a.traced(), http.MethodGet, o.URL, nil)
	if err != nil {
		return err
	}
	req.Header = a.requestHeader()
	a.client.requests.Add(1)
	resp, err := a.via.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	a.client.learnt.from(resp)
	return a.receive(resp, o)
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
