package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"mirror/internal/netname"
)

// UserAgent is how webhooks are called.
const UserAgent = "mirror-notify/1"

// maxAnswer bounds how many bytes of an answer are read.
const maxAnswer = 64 << 10

// maxRetryAfter bounds what a recipient may ask to wait.
const maxRetryAfter = 15 * time.Minute

// refusal is an answer that is no success.
type refusal struct {
	status int
	after  time.Duration // what Retry-After asks for
}

// Error returns the answer's status.
func (r *refusal) Error() string {
	if r.status/100 == 3 {
		return fmt.Sprintf("it answered %d, and redirects are not followed", r.status)
	}
	return fmt.Sprintf("it answered %d %s", r.status, http.StatusText(r.status))
}

// newClient returns a client that follows no redirect. Proxies of the environment are for
// hosts elsewhere, never for this machine (netname.Proxy).
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            netname.Dial(&net.Dialer{Timeout: 30 * time.Second}),
			Proxy:                  netname.Proxy,
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true, // hours lie between messages
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: maxAnswer,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends JSON and returns the beginning of the answer's body, as send does.
func post(ctx context.Context, client *http.Client, address string, header http.Header, body []byte) ([]byte, error) {
	header.Set("Content-Type", "application/json")
	return send(ctx, client, http.MethodPost, address, header, body)
}

// send sends a request and returns the beginning of the answer's body. The error holds no URL,
// and is a *refusal where there was an answer.
func send(ctx context.Context, client *http.Client, method, address string, header http.Header, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the URL cannot be used")
	}
	request.Header = header
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", UserAgent)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, netname.WithoutURL(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode/100 != 2 {
		return answer, &refusal{response.StatusCode, retryAfter(response.Header, time.Now())}
	}
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return answer, nil
}

// retryAfter reads how long a recipient asks for, in seconds or until a date (RFC 9110,
// section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(0, seconds), int(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
