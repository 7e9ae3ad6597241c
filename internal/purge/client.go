package purge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mirror/internal/netname"
	"mirror/internal/wait"
)

// Bounds of one request.
const (
	requestTimeout = 30 * time.Second
	maxAnswer      = 64 << 10
	attempts       = 4
	firstPause     = 500 * time.Millisecond
	maxRetryAfter  = time.Minute
)

const userAgent = "mirror-purge/1"

// client sends requests that end in bounded time, follow no redirect, and are sent again where the server says
// that it cannot answer now.
type client struct{ http *http.Client }

func newClient(transport http.RoundTripper) *client {
	if transport == nil {
		transport = &http.Transport{
			DialContext:            netname.Dial(&net.Dialer{Timeout: 10 * time.Second}),
			Proxy:                  netname.Proxy,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    atOnce,
			IdleConnTimeout:        10 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: maxAnswer,
		}
	}
	return &client{&http.Client{
		Transport: transport, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// request is one request, which can be sent again.
type request struct {
	method, url string
	header      http.Header
	host        string // "" for that of the URL
	body        []byte
	// sign, if set, completes each attempt.
	sign func(ctx context.Context, r *http.Request, body []byte) error
}

// answer is what a server said.
type answer struct {
	status int
	header http.Header
	body   []byte // its beginning
}

// good reports whether an answer is one of success.
func (a answer) good() bool { return a.status/100 == 2 }

// do sends a request, again where the server is busy or does not answer, and counts that in n. An answer that says no
// is not an error.
func (c *client) do(ctx context.Context, r request, n *atomic.Int64) (answer, error) {
	for attempt, pause := 1, firstPause; ; attempt, pause = attempt+1, pause*2 {
		n.Add(1)
		a, err := c.once(ctx, r)
		if ctx.Err() != nil {
			return a, errors.Join(context.Cause(ctx), err)
		}
		busy := err != nil || a.status == http.StatusTooManyRequests || a.status >= 500 && a.status != http.StatusNotImplemented
		if !busy || attempt == attempts {
			return a, err
		}
		if err == nil {
			pause = max(pause, retryAfter(a.header, time.Now()))
		}
		if wait.Sleep(ctx, pause) != nil {
			return a, errors.Join(context.Cause(ctx), err)
		}
	}
}

func (c *client) once(ctx context.Context, r request) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, errors.New("the URL cannot be used")
	}
	req.Header = r.header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("User-Agent", userAgent)
	req.Host = r.host
	if r.sign != nil {
		if err := r.sign(ctx, req, r.body); err != nil {
			return answer{}, err
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, netname.WithoutURL(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil && resp.StatusCode/100 == 2 {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{resp.StatusCode, resp.Header, body}, nil
}

// refusal is the error of an answer that says no.
func refusal(a answer) error {
	said := strings.Join(strings.Fields(strings.ToValidUTF8(string(a.body[:min(len(a.body), 300)]), "")), " ")
	switch {
	case a.status/100 == 3:
		return fmt.Errorf("it answered %d, and redirects are not followed", a.status)
	case said == "" || strings.HasPrefix(said, "<"):
		return fmt.Errorf("it answered %d %s", a.status, http.StatusText(a.status))
	}
	return fmt.Errorf("it answered %d: %s", a.status, said)
}

// retryAfter reads how long a server asks to wait, in seconds or until a date (RFC 9110, section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return min(max(0, time.Duration(min(seconds, 1e6))*time.Second), maxRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(0, at.Sub(now)), maxRetryAfter)
	}
	return 0
}

// atOnce is how many requests are under way at once to a cache that takes one URL a request.
const atOnce = 8

// each does something for every URL, several at once, until one fails. Of a cache that refuses one request, no
// further ones are asked.
func each(ctx context.Context, urls []string, do func(ctx context.Context, address string) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	todo := make(chan string)
	var workers sync.WaitGroup
	for range min(atOnce, len(urls)) {
		workers.Go(func() {
			for address := range todo {
				if err := do(ctx, address); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, address := range urls {
		select {
		case todo <- address:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(todo)
	workers.Wait()
	return context.Cause(ctx)
}
