package origin

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"mirror/internal/origin/facts"
)

// plainPatience bounds how long the answer is waited for, where the timeout is not shorter: many
// hosts drop what comes to port 80.
const plainPatience = 2 * time.Second

// AskPlain asks once for the home page at http://, and learns how that is answered. It asks only an https
// origin whose http port is known: that of a URL without a port, at an address without one.
func (c *Client) AskPlain(ctx context.Context) {
	at := c.plainURL()
	if at == "" || c.learnt.Plain() != nil || c.turn(ctx) != nil {
		return
	}
	patience := min(c.options.Timeout, plainPatience)
	inner, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(inner, http.MethodGet, at, nil)
	if err != nil {
		return
	}
	req.Header = c.header
	c.requests.Add(1)
	resp, err := c.fresh.RoundTrip(req)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil && inner.Err() != nil:
		c.learnt.SetPlain(facts.PlainHTTP{Err: fmt.Sprintf("no answer in %s", patience)})
		return
	case err != nil:
		c.learnt.SetPlain(facts.PlainHTTP{Err: plainFault(err)})
		return
	}
	defer resp.Body.Close()
	c.learnt.SetPlain(facts.PlainHTTP{Status: resp.StatusCode, Location: resp.Header.Get("Location")})
}

// plainURL is the home page at http://, "" where the port is not known.
func (c *Client) plainURL() string {
	home := *c.endpoint.URL
	_, _, err := net.SplitHostPort(c.options.Address)
	if home.Scheme != "https" || home.Port() != "" && home.Port() != "443" || err == nil {
		return ""
	}
	home.Scheme, home.Host = "http", home.Hostname()
	if strings.Contains(home.Host, ":") {
		home.Host = "[" + home.Host + "]"
	}
	return home.String()
}

func plainFault(err error) string {
	for _, cause := range []func(error) (Cause, string){nameFault, tlsFault, networkFault, protocolFault} {
		if c, said := cause(err); c != "" {
			return said
		}
	}
	return printable(err.Error())
}
