package purge

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// direct is a cache that is asked itself, with one request for each URL: Varnish with a rule for PURGE or BAN, Squid,
// nginx with a purge module, or one that fetches a page anew when it is asked with a certain header.
type direct struct {
	address *url.URL
	host    string // "" for that of the site
	method  string
	header  http.Header
	client  *client
}

func newDirect(c Config, token string, client *client) (*direct, error) {
	address, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("url: not a URL")
	}
	d := &direct{address: address, host: c.Host, method: c.Method, header: http.Header{}, client: client}
	switch {
	case c.Header != "" && token != "":
		d.header.Set(c.Header, token)
	case c.Header != "":
		d.header.Set(c.Header, "1")
	case token != "":
		d.header.Set("Authorization", "Bearer "+token)
	}
	return d, nil
}

// Purge sends a request for each URL, with the host that visitors use.
func (d *direct) Purge(ctx context.Context, b Batch) (int, error) {
	var n atomic.Int64
	root := trimSlash((&url.URL{Scheme: d.address.Scheme, Host: d.address.Host}).String()) + trimSlash(d.address.EscapedPath())
	own := (&url.URL{Scheme: b.Site.Scheme, Host: b.Site.Host}).String()
	err := each(ctx, b.URLs, func(ctx context.Context, page string) error {
		path := strings.TrimPrefix(page, own)
		a, err := d.client.do(ctx, request{method: d.method, url: root + path, host: cmp.Or(d.host, b.Site.Host), header: d.header}, &n)
		if err == nil && !d.done(a.status) {
			err = refusal(a)
		}
		if err != nil {
			return fmt.Errorf("%s %s at %s: %w", d.method, path, d.address.Host, err)
		}
		return nil
	})
	return int(n.Load()), err
}

// done reports whether an answer says that the page is no longer cached. Squid and the nginx modules say in their own
// ways that it was not cached; a page that is fetched anew may be gone or lead elsewhere.
func (d *direct) done(status int) bool {
	switch {
	case status/100 == 2:
		return true
	case d.method == http.MethodGet:
		return status/100 == 3 || status == http.StatusNotFound || status == http.StatusGone
	}
	return d.method == "PURGE" && slices.Contains([]int{http.StatusNotFound, http.StatusPreconditionFailed}, status)
}
