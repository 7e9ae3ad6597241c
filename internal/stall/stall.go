// Package stall ends HTTP requests whose peer makes no progress: a server that accepts a connection
// and says nothing, stops in the middle of a body, or trickles it. A request that moves may take as
// long as it takes.
package stall

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Limit is for how long a peer may make no progress.
const Limit = 30 * time.Second

const (
	// minRead is the slowest progress of an answer's body, in bytes a second: a quarter of what the
	// slowest mobile networks give.
	minRead = 1 << 10
	// What was sent may still lie in buffers of this machine, and a server that took much may have to
	// hash or copy it before it answers. So a peer gets more time for each byte of its request, and
	// for each byte that was sent before; at most maxExtra.
	minSent  = 128 << 10
	minTaken = 32 << 20
	maxExtra = 90 * time.Second
)

// Transport is an http.RoundTripper over another one.
type Transport struct {
	base  http.RoundTripper
	limit time.Duration
	sent  atomic.Int64 // bytes of all bodies
}

// New returns a transport that gives up a request when its peer makes no progress for limit.
func New(base http.RoundTripper, limit time.Duration) *Transport {
	return &Transport{base: base, limit: limit}
}

// Error says that a peer made no progress. It is not worth to ask it again.
type Error struct {
	Host  string
	Limit time.Duration
}

// Error names the host.
func (e *Error) Error() string {
	return fmt.Sprintf("%s made no progress for %s, and was given up", e.Host, e.Limit)
}

// RetryableError keeps the AWS SDK from sending the request again.
func (e *Error) RetryableError() bool { return false }

// Timeout makes it a net.Error's.
func (e *Error) Timeout() bool { return true }

// RoundTrip sends the request.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	w := &watch{transport: t, cancel: cancel, err: &Error{Host: req.URL.Host, Limit: t.limit}}
	w.await()
	sent := req.Clone(ctx)
	sent.Body, sent.GetBody = w.body(req.Body), w.getBody(req.GetBody)
	resp, err := t.base.RoundTrip(sent)
	if err != nil {
		err = w.explain(err)
		w.end()
		return nil, err
	}
	w.answered()
	resp.Request = req
	resp.Body = &reader{resp.Body, w}
	return resp, nil
}

// extra is how much longer a peer is waited for that was sent so much.
func (t *Transport) extra(sent int64) time.Duration {
	seconds := float64(sent)/minSent + float64(t.sent.Load())/minTaken
	return min(maxExtra, time.Duration(seconds*float64(time.Second)))
}

// watch is a request on its way.
type watch struct {
	transport *Transport
	cancel    context.CancelCauseFunc
	err       *Error

	mu      sync.Mutex // guards what follows
	timer   *time.Timer
	done    bool  // the header of the answer has come, or the request has failed
	expired bool  // the peer was given up
	sent    int64 // bytes of the request's body

	waited time.Duration // for the bytes of the answer's body since it last made progress
	got    int64         // those bytes
}

// start has the peer be given up after a while, instead of when it was to be before. The caller must
// hold mu.
func (w *watch) start(after time.Duration) {
	if w.timer == nil {
		w.timer = time.AfterFunc(after, w.expire)
		return
	}
	w.timer.Reset(after)
}

func (w *watch) expire() {
	w.mu.Lock()
	w.expired = true
	w.mu.Unlock()
	w.cancel(w.err)
}

// await waits for the peer to take more of the request, or to answer.
func (w *watch) await() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.done {
		w.start(w.transport.limit + w.transport.extra(w.sent))
	}
}

// took counts what the peer takes of the request.
func (w *watch) took(n int) {
	w.transport.sent.Add(int64(n))
	w.mu.Lock()
	w.sent += int64(n)
	w.mu.Unlock()
	w.await()
}

// answered ends the wait for the answer's header.
func (w *watch) answered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
	w.done = true
}

// end is called when nothing is waited for any more.
func (w *watch) end() {
	w.answered()
	w.cancel(nil)
}

// explain returns the error of a peer that was given up in place of what that led to.
func (w *watch) explain(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && w.expired {
		return w.err
	}
	return err
}

// body counts what is sent of a request.
func (w *watch) body(b io.ReadCloser) io.ReadCloser {
	if b == nil || b == http.NoBody {
		return b
	}
	return &sender{b, w}
}

func (w *watch) getBody(again func() (io.ReadCloser, error)) func() (io.ReadCloser, error) {
	if again == nil {
		return nil
	}
	return func() (io.ReadCloser, error) {
		b, err := again()
		if err != nil {
			return nil, err
		}
		return w.body(b), nil
	}
}

// sender is the body of a request.
type sender struct {
	io.ReadCloser
	watch *watch
}

// Read is called when the peer has taken what was read before.
func (s *sender) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.watch.took(n)
	return n, err
}

// reader is the body of an answer. Only the time that its reads take counts.
type reader struct {
	io.ReadCloser
	watch *watch
}

// Read reads what comes in time.
func (r *reader) Read(p []byte) (int, error) {
	began := r.watch.startRead()
	n, err := r.ReadCloser.Read(p)
	r.watch.endRead(n, time.Since(began))
	return n, r.watch.explain(err)
}

// Close ends the answer.
func (r *reader) Close() error {
	err := r.ReadCloser.Close()
	r.watch.end()
	return err
}

func (w *watch) startRead() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start(w.transport.limit - w.waited)
	return time.Now()
}

// endRead takes in n bytes of the answer's body. Less than minRead is no progress.
func (w *watch) endRead(n int, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
	w.waited, w.got = w.waited+took, w.got+int64(n)
	if float64(w.got) >= minRead*w.transport.limit.Seconds() {
		w.waited, w.got = 0, 0
	}
}
