package s3_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// request is one that a recorder saw.
type request struct {
	method string
	key    string // "" for one about the bucket
	query  url.Values
	header http.Header
	at     time.Time
}

func (r request) isCopy() bool { return r.header.Get("X-Amz-Copy-Source") != "" }

// recorder is a transport that keeps account of the requests that pass, and may answer
// some of them itself.
type recorder struct {
	bucket string
	// before may answer in place of the service, or hold the request up.
	before func(*http.Request) (*http.Response, error)

	mu   sync.Mutex
	seen []request
	sent int64 // bytes of request bodies
}

func (p *place) recorder() *recorder { return &recorder{bucket: p.bucket} }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	key := strings.TrimPrefix(strings.TrimPrefix(req.URL.Path, "/"+r.bucket), "/")
	r.mu.Lock()
	r.seen = append(r.seen, request{method: req.Method, key: key, query: req.URL.Query(), header: req.Header.Clone(), at: time.Now()})
	r.mu.Unlock()
	if req.Body != nil {
		req = req.Clone(req.Context())
		req.Body = &countedBody{ReadCloser: req.Body, to: r}
	}
	if r.before != nil {
		if resp, err := r.before(req); resp != nil || err != nil {
			return resp, err
		}
	}
	return http.DefaultTransport.RoundTrip(req)
}

func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen, r.sent = nil, 0
}

// requests returns those seen since the last reset that match.
func (r *recorder) requests(match func(request) bool) []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []request
	for _, q := range r.seen {
		if match(q) {
			out = append(out, q)
		}
	}
	return out
}

func (r *recorder) count() (requests int, sent int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen), r.sent
}

func all(request) bool { return true }

type countedBody struct {
	io.ReadCloser
	to *recorder
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.to.mu.Lock()
	b.to.sent += int64(n)
	b.to.mu.Unlock()
	return n, err
}
