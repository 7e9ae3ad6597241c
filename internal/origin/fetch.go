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

	"mirror/internal/wait"
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
		return nil, &StatusError{o.Status}
	}
	return text.Bytes(), nil
}

// StatusError says that an answer with another status than 200 has no page.
type StatusError struct{ Status int }

// Error names the status.
func (e *StatusError) Error() string { return fmt.Sprintf("answered %d", e.Status) }

// IsDown asks for a page once, and reports whether the answer is 503 from an origin that has
// answered nothing else so far: its service is not available, where a limit would have let other
// requests through.
func (c *Client) IsDown(ctx context.Context, p Page) bool {
	o := c.once(ctx, request{Page: p, via: c.warm})
	return o.Status == http.StatusServiceUnavailable && !c.pace.serves()
}

// ask asks until the origin no longer refuses the page for having had too many requests, or it is
// not worth to wait any longer.
func (c *Client) ask(ctx context.Context, r request) site.Observation {
	var t tries
	for {
		o := c.once(ctx, r)
		switch {
		case !c.limits.refuses(o):
			if o.Status != 0 {
				c.limits.answered(r.Page, o)
				o.Recovered = t.own > 0 && !c.limits.met()
			}
			return o
		case c.options.Waited:
			c.slowDown(o)
			return o
		case !c.again(ctx, &o, &t):
			c.answers.Add(1)
			return o
		}
	}
}

func (c *Client) once(ctx context.Context, r request) site.Observation {
	o := site.Observation{Path: r.Path, URL: c.base + r.URL}
	if r.BypassCache && !c.endpoint.Cache.Directives {
		if c.endpoint.Cache.IgnoresQuery || !c.options.Uniques.take() {
			o.Err = ErrNoUnique
			return o
		}
		o.URL += "?mirror=" + rand.Text()
	}
	if o.Err = c.turn(ctx); o.Err != nil {
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

// tries are those for one page.
type tries struct {
	own  int // times that it was refused while the origin served others
	told int // times that it was refused with a Retry-After
}

// again reports whether to ask for a page again that was refused. Where not, the observation
// says why.
func (c *Client) again(ctx context.Context, o *site.Observation, t *tries) bool {
	if err := c.limits.still(c.options.Timeout); err != nil {
		o.Err = err
		c.pace.Resume()
		return false
	}
	alone, told := retryAfter(o.Header.Get("Retry-After"))
	if told = told && alone > 0 && o.Status != http.StatusForbidden; told {
		t.told++
	} else if !c.limits.worthProbing(o.Status) {
		return false
	} else if c.serves(ctx, *o) {
		if t.own++; t.own == 1 && o.Status == http.StatusTooManyRequests {
			c.pace.Refused(o.Asked, 0)
		}
		pause, again := c.limits.suspect(o.Status, t.own)
		return again && wait.Sleep(ctx, pause) == nil
	} else {
		t.own = 0
	}
	c.refusals.Add(1)
	err := c.limits.refuse(ctx, *o, alone, c.options.Timeout, c.pace)
	if c.exceededLimit() != nil {
		c.pace.Resume()
	}
	if err == nil && t.told > maxTold {
		err = fail(Busy, fmt.Sprintf("answered %d each of %d times, and that it may be asked again (hint: try later, or lower check.rate)", o.Status, t.told), nil)
	}
	if err != nil {
		o.Digest, o.Raw, o.Err = site.Digest{}, site.Digest{}, err
	}
	return err == nil && ctx.Err() == nil
}

// serves reports whether the origin serves other pages at the time at which it refuses one. It is
// asked for one that it has served before. Where it has served none, there is nothing to tell a
// limit by.
func (c *Client) serves(ctx context.Context, o site.Observation) bool {
	select {
	case c.limits.probing <- struct{}{}:
		defer func() { <-c.limits.probing }()
	case <-ctx.Done():
		return true
	}
	if c.pace.LoweredSince(o.Asked) { // another request of the same time has told
		return false
	}
	c.limits.mu.Lock()
	control, served := c.limits.control, c.limits.served
	c.limits.mu.Unlock()
	if control == nil {
		return o.Status != http.StatusTooManyRequests
	}
	if served.After(o.Answered) {
		return true
	}
	probe := c.once(ctx, request{Page: *control, via: c.warm})
	refused := c.limits.refuses(probe)
	if !refused && probe.Status != 0 {
		c.limits.answered(*control, probe)
	}
	return !refused
}

// leastWatched is the lowest rate at which a watch asks, in requests a second.
const leastWatched = 1

// slowDown has those that ask again by themselves do so more slowly. A service that is down answers
// 503 too, and may say when it expects to be back: the rate is lowered for that only where it serves
// other pages.
func (c *Client) slowDown(o site.Observation) {
	alone, told := retryAfter(o.Header.Get("Retry-After"))
	switch {
	case o.Status == http.StatusForbidden:
		return
	case o.Status == http.StatusTooManyRequests, c.pace.serves():
		c.pace.Refused(o.Asked, leastWatched)
		c.limits.note(o.Status)
	}
	if told {
		c.pace.Hold(min(alone, c.options.Timeout), c.options.Timeout)
	}
}

// count counts an answer for Received and for the pace, and remembers a failure for LastFailure. A
// refusal that is the page's answer in the end is counted by ask.
func (c *Client) count(ctx context.Context, o site.Observation) {
	switch {
	case c.limits.refuses(o):
	case o.Status != 0 && !errors.Is(o.Err, TimedOut):
		c.answers.Add(1)
		c.pace.Served()
	case ctx.Err() == nil:
		c.failed.Store(&o.Err)
	}
}

// turn waits until the origin may be asked.
func (c *Client) turn(ctx context.Context) error {
	if c.options.Waited {
		return ctx.Err()
	}
	if err := c.exceededLimit(); err != nil {
		return err
	}
	if err := c.pace.Wait(ctx); err != nil {
		return err
	}
	return c.exceededLimit()
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
	if proxy := a.refusingProxy(resp); proxy != "" {
		return &proxyRefusal{proxy, resp.StatusCode}
	}
	a.client.learnt.From(resp)
	return a.receive(resp, o)
}

// receive takes an answer whose header has come. Of a redirect the header is enough.
func (a *attempt) receive(resp *http.Response, o *site.Observation) error {
	o.Header = a.client.keep(resp.Header)
	if resp.StatusCode < 100 {
		return fail(Malformed, "its status is below 100", nil)
	}
	if onTLSPort(resp) {
		return errTLSPort
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
