package origin_test

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mirror/internal/origin"
	"mirror/internal/origin/facts"
)

// roundTrip answers in place of a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (c roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

func answered(status int, location string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{"Location": {location}}, Body: http.NoBody}, nil
}

func TestPlainHTTP(t *testing.T) {
	for name, tc := range map[string]struct {
		base, address, asked string
		answer               func() (*http.Response, error)
		want                 *facts.PlainHTTP
	}{
		"a redirect":          {"https://a.example/blog/", "", "http://a.example/blog/", func() (*http.Response, error) { return answered(301, "https://a.example/blog/") }, &facts.PlainHTTP{Status: 301, Location: "https://a.example/blog/"}},
		"a long location":     {"https://a.example/", "", "http://a.example/", func() (*http.Response, error) { return answered(302, strings.Repeat("x", 1000)) }, &facts.PlainHTTP{Status: 302, Location: strings.Repeat("x", 200)}},
		"the default port":    {"https://a.example:443/", "192.0.2.1", "http://a.example/", func() (*http.Response, error) { return answered(404, "") }, &facts.PlainHTTP{Status: 404}},
		"IPv6":                {"https://[2001:db8::1]/", "", "http://[2001:db8::1]/", func() (*http.Response, error) { return answered(200, "") }, &facts.PlainHTTP{Status: 200}},
		"refused":             {"https://a.example/", "", "http://a.example/", func() (*http.Response, error) { return nil, syscall.ECONNREFUSED }, &facts.PlainHTTP{Err: "nothing listens there (hint: is the server up, and is the port right?)"}},
		"another port":        {"https://a.example:8443/", "", "", nil, nil},
		"an address's port":   {"https://a.example/", "192.0.2.1:8443", "", nil, nil},
		"an origin with http": {"http://a.example/", "", "", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			base, err := url.Parse(tc.base)
			if err != nil {
				t.Fatal(err)
			}
			var asked []string
			c := origin.New(origin.Endpoint{URL: base, Options: origin.Options{Timeout: time.Minute, Address: tc.address, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				asked = append(asked, r.URL.String())
				return tc.answer()
			})}})
			for range 2 {
				c.AskPlain(t.Context())
			}
			requests, _ := c.Counts()
			if strings.Join(asked, " ") != tc.asked || int(requests) != len(asked) {
				t.Errorf("asked for %q, %d requests", asked, requests)
			}
			if got := c.Facts().Plain; !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

// TestPlainHTTPThatIsSilent has a host that drops what comes to its port 80.
func TestPlainHTTPThatIsSilent(t *testing.T) {
	var asked atomic.Int64
	base := &url.URL{Scheme: "https", Host: "a.example", Path: "/"}
	c := origin.New(origin.Endpoint{URL: base, Options: origin.Options{Timeout: time.Millisecond, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked.Add(1)
		<-r.Context().Done()
		return nil, errors.Join(errors.New("dial"), r.Context().Err())
	})}})
	c.AskPlain(t.Context())
	if got := c.Facts().Plain; asked.Load() != 1 || got == nil || got.Err != "no answer in 1ms" {
		t.Errorf("got %+v after %d requests", got, asked.Load())
	}
}
