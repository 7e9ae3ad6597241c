// Package globalping has public places request one URL, by the API of Globalping (https://globalping.io/docs/api.globalping.io).
// A place returns the status, the headers and at most 10,000 characters of the body, which may be damaged: it is for
// the beacon, and a page is never hashed from it.
package globalping

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mirror/internal/wait"
)

// DefaultAPI is the base URL of the public API.
const DefaultAPI = "https://api.globalping.io"

// Bounds of one measurement.
const (
	pollEvery   = 500 * time.Millisecond // as the API's guidelines ask
	longestWait = 30 * time.Second       // that a limit may ask for
	mostRefused = 2                      // times that a request is sent again after a limit
	maxAnswer   = 4 << 20                // bytes of an answer of the API
	maxReason   = 200                    // bytes of what it says of an error
)

// ErrLimited says that the API's limit or the account's credits are used up.
var ErrLimited = errors.New("the limit of Globalping is reached")

// Client asks the API. The zero value uses DefaultAPI without a token.
type Client struct {
	API   *url.URL // nil for DefaultAPI
	Token string   // "" for none; the limits are then those of the address
	HTTP  *http.Client
}

// Answer is what one place got.
type Answer struct {
	Place  string // city, country and network, as the API names them
	Status int
	Header map[string]string // the first value of each, by lower-case name
	Body   []byte            // nil where it was cut off
	Err    string            // why there is no answer, "" where there is one
}

// Get has a probe at each of the places request a URL, and waits until all have answered or ctx ends. A place that has no
// probe is missing in the answers.
func (c Client) Get(ctx context.Context, page *url.URL, places []string) ([]Answer, error) {
	var created struct{ ID string }
	if err := c.call(ctx, http.MethodPost, "/v1/measurements", measurementOf(page, places), &created); err != nil {
		return nil, err
	}
	if created.ID == "" {
		return nil, errors.New("globalping: the API named no measurement")
	}
	for {
		var m measurement
		if err := c.call(ctx, http.MethodGet, "/v1/measurements/"+url.PathEscape(created.ID), nil, &m); err != nil {
			return nil, err
		}
		if m.Status != "in-progress" {
			return m.answers(), nil
		}
		if err := wait.Sleep(ctx, pollEvery); err != nil {
			return nil, fmt.Errorf("globalping: the places did not answer in time: %w", err)
		}
	}
}

// measurementOf is the body of the request that creates a measurement.
func measurementOf(page *url.URL, places []string) map[string]any {
	protocol, port := "HTTPS", 443
	if page.Scheme == "http" {
		protocol, port = "HTTP", 80
	}
	if n, err := strconv.Atoi(page.Port()); err == nil {
		port = n
	}
	locations := make([]map[string]any, len(places))
	for i, place := range places {
		locations[i] = map[string]any{"magic": place, "limit": 1}
	}
	return map[string]any{
		"type": "http", "target": page.Hostname(), "locations": locations,
		"measurementOptions": map[string]any{
			"protocol": protocol, "port": port,
			"request": map[string]any{"method": http.MethodGet, "path": page.EscapedPath(), "query": page.RawQuery},
		},
	}
}

// measurement is what the API says of one.
type measurement struct {
	Status  string
	Results []struct {
		Probe struct {
			City, Country, Network string
		}
		Result struct {
			Status, RawOutput string
			StatusCode        int
			RawBody           string
			Truncated         bool
			Headers           map[string]any
		}
	}
}

func (m measurement) answers() (all []Answer) {
	for _, r := range m.Results {
		a := Answer{Place: strings.Join([]string{r.Probe.City, r.Probe.Country, r.Probe.Network}, ", ")}
		if r.Result.Status != "finished" {
			a.Err = fmt.Sprintf("the probe is %s: %s", r.Result.Status, short(r.Result.RawOutput))
			all = append(all, a)
			continue
		}
		a.Status, a.Header = r.Result.StatusCode, map[string]string{}
		for name, value := range r.Result.Headers {
			a.Header[strings.ToLower(name)] = firstOf(value)
		}
		if !r.Result.Truncated {
			a.Body = []byte(r.Result.RawBody)
		}
		all = append(all, a)
	}
	return all
}

// firstOf is the first value of a header: the API has a text, or a list where there are several.
func firstOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			return firstOf(v[0])
		}
	}
	return ""
}

// call sends a request, again after the time that a limit asks for, and decodes the answer.
func (c Client) call(ctx context.Context, method, path string, body, into any) error {
	for refused := 0; ; refused++ {
		pause, err := c.once(ctx, method, path, body, into)
		switch {
		case !errors.Is(err, ErrLimited):
			return err
		case refused == mostRefused || pause > longestWait:
			return fmt.Errorf("globalping: %w (hint: ask for fewer places, or set vantages.globalping.token_env)", err)
		}
		if failed := wait.Sleep(ctx, pause); failed != nil {
			return errors.Join(err, failed)
		}
	}
}

// once sends a request. With ErrLimited, pause is how long the API asks to be left alone.
func (c Client) once(ctx context.Context, method, path string, body, into any) (pause time.Duration, err error) {
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return 0, fmt.Errorf("globalping: %w", err)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("globalping: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return 0, fmt.Errorf("globalping: %w", err)
	case resp.StatusCode == http.StatusTooManyRequests:
		return pauseOf(resp.Header), fmt.Errorf("%w: %s credits are left", ErrLimited, orUnknown(resp.Header.Get("X-Credits-Remaining")))
	case resp.StatusCode/100 != 2:
		return 0, fmt.Errorf("globalping: %s answered %d: %s", req.URL.Host, resp.StatusCode, short(string(text)))
	case len(text) > maxAnswer:
		return 0, fmt.Errorf("globalping: the answer of %s is larger than %d bytes", req.URL.Host, maxAnswer)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return 0, fmt.Errorf("globalping: the answer of %s cannot be read: %w", req.URL.Host, err)
	}
	return 0, nil
}

func (c Client) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	base := strings.TrimSuffix(DefaultAPI, "/")
	if c.API != nil {
		base = strings.TrimSuffix(c.API.String(), "/")
	}
	var sent io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, sent)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "mirror (static site checker)")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return req, nil
}

// pauseOf is how long a refusal asks to wait: Retry-After, or X-RateLimit-Reset, in seconds.
func pauseOf(h http.Header) time.Duration {
	for _, name := range []string{"Retry-After", "X-Ratelimit-Reset"} {
		if seconds, err := strconv.ParseUint(h.Get(name), 10, 31); err == nil {
			return time.Duration(seconds) * time.Second
		}
	}
	return pollEvery
}

func orUnknown(text string) string {
	if text == "" {
		return "an unknown number of"
	}
	return short(text)
}

// short bounds a text of others, on one line.
func short(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if len(text) > maxReason {
		return strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}
