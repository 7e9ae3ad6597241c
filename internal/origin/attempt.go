package origin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"mirror/site"
)

// request is one page and how to ask for it.
type request struct {
	Page
	via http.RoundTripper
}

// conditional reports whether the origin may say that the page is as it was.
func (r request) conditional() bool { return !r.BypassCache && (r.ETag != "" || r.Modified != "") }

// attempt is a request on its way.
type attempt struct {
	request
	client   *Client
	ctx      context.Context
	patience *patience
	tries    int // how often net/http has sent it

	handshake atomic.Bool // of TLS has begun, on a connection for it
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
		GetConn:           func(string) { turn() },
		TLSHandshakeStart: func() { a.handshake.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { // HTTP/2 tries again without GetConn
			turn()
			a.tries, waited = a.tries+1, false
		},
	})
}

func (a *attempt) requestHeader() http.Header {
	if a.BypassCache && a.client.endpoint.Cache.Directives {
		h := a.client.header.Clone()
		h.Set("Cache-Control", "no-cache, no-store")
		return h
	}
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

// explain puts what ended an attempt in a person's words.
func (a *attempt) explain(err error, o site.Observation) error {
	if _, ok := errors.AsType[*failure](err); ok || errors.Is(err, site.ErrTooLong) {
		return err
	}
	if errors.Is(context.Cause(a.ctx), TimedOut) {
		return fail(TimedOut, a.impatience(o), err)
	}
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	for _, cause := range []func(error) (Cause, string){a.proxyFault, nameFault, tlsFault, networkFault, protocolFault} {
		if c, said := cause(err); c != "" {
			return fail(c, said, err)
		}
	}
	return fail(Unknown, printable(err.Error()), err)
}

func (a *attempt) impatience(o site.Observation) string {
	timeout := a.client.options.Timeout
	switch {
	case o.Status != 0:
		return fmt.Sprintf("the answer began, and was not whole in %s", timeout)
	case a.tries == 0:
		if proxy := a.proxyHost(); proxy != "" {
			return fmt.Sprintf("no connection in %s, by the proxy %s", timeout, proxy)
		}
		if a.handshake.Load() {
			return fmt.Sprintf("the TLS handshake did not end in %s", timeout)
		}
		return fmt.Sprintf("no connection in %s", timeout)
	case a.tries > 1:
		return fmt.Sprintf("no answer in %s, though asked %d times over: each request was refused", timeout, a.tries)
	}
	return fmt.Sprintf("no answer in %s", timeout)
}
