package origin

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"mirror/site"
)

// Fetch asks for a page once.
func (c *Client) Fetch(ctx context.Context, p Page) site.Observation { return c.ask(ctx, c.warm, p) }

// FetchFresh asks for a page once, on a connection of its own.
func (c *Client) FetchFresh(ctx context.Context, p Page) site.Observation {
	return c.ask(ctx, c.fresh, p)
}

func (c *Client) ask(ctx context.Context, via *http.Client, p Page) site.Observation {
	o := site.Observation{Path: p.Path, URL: c.base + p.URL}
	if p.Past {
		o.URL += "?mirror=" + rand.Text()
	}
	if err := c.turn(ctx); err != nil {
		o.Err = err
		return o
	}
	patience := c.options.Timeout + time.Duration(p.Size)*time.Second/slowest
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errTimeout)
	defer cancel()
	o.Asked = time.Now()
	o.Err = c.exchange(ctx, via, p, &o)
	o.Answered = time.Now()
	if o.Err != nil {
		o.Digest, o.Raw = site.Digest{}, site.Digest{}
		o.Err = explain(ctx, o.Err)
	}
	return o
}

// turn waits until the origin may be asked.
func (c *Client) turn(ctx context.Context) error {
	if c.options.Waited {
		return ctx.Err()
	}
	return c.pace.Wait(ctx)
}

// traced has what net/http sends again by itself, when a connection that it had kept turns
// out to be broken, wait for a turn of its own and count.
func (c *Client) traced(ctx context.Context) context.Context {
	tried := false
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) {
		if tried && c.pace.Wait(ctx) == nil { // else the request ends with ctx
			c.requests.Add(1)
		}
		tried = true
	}})
}

func (c *Client) exchange(ctx context.Context, via *http.Client, p Page, o *site.Observation) error {
	req, err := http.NewRequestWithContext(c.traced(ctx), http.MethodGet, o.URL, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", UserAgent)
	req.Header.Set("Accept-Encoding", "gzip, br, zstd")
	c.requests.Add(1)
	resp, err := via.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	o.Status, o.Header = resp.StatusCode, c.keep(resp.Header)
	return c.read(resp, p, o)
}

func (c *Client) keep(h http.Header) http.Header {
	kept := http.Header{}
	for _, names := range [2][]string{keptHeaders, c.options.Headers} {
		for _, name := range names {
			if v := h.Values(name); len(v) > 0 {
				kept[http.CanonicalHeaderKey(name)] = v
			}
		}
	}
	return kept
}

// read hashes the body as it was sent and as it decodes, each bounded by the page's limit.
func (c *Client) read(resp *http.Response, p Page, o *site.Observation) error {
	limit := p.limit()
	raw := &tally{r: resp.Body, hash: sha256.New(), limit: limit, total: &c.bytes}
	encoding := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding")))
	body, err := decoder(encoding, raw)
	if err != nil {
		return err
	}
	defer body.Close()
	buf := c.buffers.Get().(*[]byte)
	defer c.buffers.Put(buf)
	if encoding == "" || encoding == "identity" {
		_, err := io.CopyBuffer(p.sink(), onlyReader{raw}, *buf)
		o.Size, o.Digest = raw.n, raw.digest()
		o.Raw = o.Digest
		return err
	}
	decoded := &tally{r: body, hash: sha256.New(), limit: limit}
	_, err = io.CopyBuffer(p.sink(), onlyReader{decoded}, *buf)
	if err == nil { // what follows the encoded stream is part of the body too
		_, err = io.CopyBuffer(io.Discard, onlyReader{raw}, *buf)
	}
	o.Size, o.Digest, o.Raw = decoded.n, decoded.digest(), raw.digest()
	return err
}

// onlyReader keeps io.CopyBuffer on the buffer that it is given.
type onlyReader struct{ io.Reader }

func decoder(encoding string, r io.Reader) (io.ReadCloser, error) {
	switch encoding {
	case "", "identity":
		return io.NopCloser(r), nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("the body is no gzip: %w", err)
		}
		return z, nil
	case "br":
		return io.NopCloser(brotli.NewReader(r)), nil
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxWindow), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("the body is no zstd: %w", err)
		}
		return z.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("the encoding %q was not asked for", encoding)
}

// maxWindow bounds a zstd decoder's memory, in bytes: what browsers allow (RFC 9659).
const maxWindow = 8 << 20

// tally hashes and counts what passes, and ends a stream that is longer than its limit.
type tally struct {
	r        io.Reader
	hash     hash.Hash
	n, limit int64
	total    interface{ Add(int64) int64 } // may be nil
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.hash.Write(p[:n])
	t.n += int64(n)
	if t.total != nil {
		t.total.Add(int64(n))
	}
	if t.n > t.limit {
		return n, site.ErrTooLong
	}
	return n, err
}

func (t *tally) digest() site.Digest { return site.Digest(t.hash.Sum(nil)) }

// errTimeout is the cause of a context that ended since the origin took too long.
var errTimeout = errors.New("timeout")

// explain puts an error of net/http in a person's words, without the URL, which is told
// beside it.
func explain(ctx context.Context, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, site.ErrTooLong) {
		return err
	}
	if errors.Is(context.Cause(ctx), errTimeout) {
		return fmt.Errorf("no whole answer in time: %w", errTimeout)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("DNS: %s: %w", dns.Err, err)
	}
	if isTLS(err) {
		return fmt.Errorf("TLS: %w", err)
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("connection refused: %w", err)
	case errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("connection reset: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the answer was cut: %w", err)
	}
	return err
}

func isTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.AlertError](err)
	return ok || errors.Is(err, http.ErrSchemeMismatch)
}

// Body returns the bytes of a page that answers 200, which may be slack longer than expected.
func (c *Client) Body(ctx context.Context, p Page) ([]byte, error) {
	if err := c.turn(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, errTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(c.traced(ctx), http.MethodGet, c.base+p.URL, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", UserAgent)
	c.requests.Add(1)
	resp, err := c.warm.Do(req)
	if err != nil {
		return nil, explain(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %d", resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, p.limit()+1))
	c.bytes.Add(int64(len(text)))
	switch {
	case err != nil:
		return nil, explain(ctx, err)
	case int64(len(text)) > p.limit():
		return nil, site.ErrTooLong
	}
	return text, nil
}
