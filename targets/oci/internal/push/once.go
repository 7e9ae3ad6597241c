package push

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// greetingAge is for how long a registry's answer to the question how to log in is remembered.
const greetingAge = time.Minute

// maxGreeting bounds such an answer, in bytes.
const maxGreeting = 64 << 10

// Once returns a transport that asks each registry only once how to log in (GET /v2/), for all sessions.
func Once(base http.RoundTripper) http.RoundTripper {
	return &once{base: base, heard: map[string]greeting{}}
}

type once struct {
	base http.RoundTripper

	mu    sync.Mutex // guards heard
	heard map[string]greeting
}

// greeting is a registry's answer.
type greeting struct {
	at     time.Time
	status int
	header http.Header
	body   []byte
}

// RoundTrip sends the request, or answers it from memory.
func (o *once) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.URL.Path != "/v2/" || req.Header.Get("Authorization") != "" {
		return o.base.RoundTrip(req)
	}
	place := req.URL.Scheme + "://" + strings.ToLower(req.URL.Host)
	o.mu.Lock()
	known, ok := o.heard[place]
	o.mu.Unlock()
	if ok && time.Since(known.at) < greetingAge {
		return known.answer(req), nil
	}
	resp, err := o.base.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxGreeting))
	if err != nil {
		return nil, err
	}
	known = greeting{time.Now(), resp.StatusCode, resp.Header, body}
	o.mu.Lock()
	o.heard[place] = known
	o.mu.Unlock()
	return known.answer(req), nil
}

func (g greeting) answer(req *http.Request) *http.Response {
	return &http.Response{
		Status: http.StatusText(g.status), StatusCode: g.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: g.header.Clone(), Body: io.NopCloser(bytes.NewReader(g.body)), ContentLength: int64(len(g.body)), Request: req,
	}
}
