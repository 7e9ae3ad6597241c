package origin

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/semaphore"
)

// What a decoder has to remember of what it decoded is said by the body's first bytes, so
// by the origin. The decoders at work for one client have room for allWindows together, in
// bytes; those that wait to be used again take idleWindows at most. One of zstd may have
// maxWindow: what browsers allow (RFC 9659). Small windows need no room.
const (
	allWindows  = 16 << 20
	idleWindows = 16 << 20
	maxWindow   = 8 << 20
	smallWindow = 512 << 10
)

// decoder decodes bodies of one encoding whose windows are not larger than its own.
type decoder struct {
	resetter
	encoding string
	window   int64
}

type resetter interface {
	io.Reader
	Reset(r io.Reader) error
}

func newDecoder(encoding string, window int64) (*decoder, error) {
	d := &decoder{encoding: encoding, window: window}
	switch encoding {
	case "gzip":
		d.resetter = new(gzip.Reader)
	case "br":
		d.resetter = new(brotli.Reader)
	case "deflate":
		d.resetter = new(deflate)
	default:
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(uint64(window)))
		if err != nil {
			return nil, err
		}
		d.resetter = z
	}
	return d, nil
}

// decoders decodes bodies within bounds.
type decoders struct {
	room *semaphore.Weighted
	sent sync.Pool

	mu        sync.Mutex
	idle      []*decoder
	idleBytes int64
}

func newDecoders() *decoders {
	d := &decoders{room: semaphore.NewWeighted(allWindows)}
	d.sent.New = func() any { return bufio.NewReaderSize(nil, 8<<10) }
	return d
}

// reader returns a body that can be looked into. It goes back into sent.
func (d *decoders) reader(body io.Reader) *bufio.Reader {
	sent := d.sent.Get().(*bufio.Reader)
	sent.Reset(body)
	return sent
}

// take returns a decoder when there is room for it.
func (d *decoders) take(ctx context.Context, encoding string, window int64) (*decoder, error) {
	if window > smallWindow {
		if err := d.room.Acquire(ctx, window); err != nil {
			return nil, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, idle := range d.idle {
		if idle.encoding == encoding && idle.window == window {
			d.idle = slices.Delete(d.idle, i, i+1)
			d.idleBytes -= window
			return idle, nil
		}
	}
	return newDecoder(encoding, window)
}

// put takes a decoder back.
func (d *decoders) put(used *decoder) {
	if used.window > smallWindow {
		d.room.Release(used.window)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.idleBytes+used.window <= idleWindows {
		d.idle = append(d.idle, used)
		d.idleBytes += used.window
	}
}

// errEncoding is of several encodings, one over another.
var errEncoding = errors.New("encoded more than once")

// open starts to decode a body, when there is room for that. Who got it calls done when it
// is decoded, and then finds in sent what the decoder has left of the body.
func (d *decoders) open(ctx context.Context, encoding string, sent *bufio.Reader) (decoded io.Reader, done func(), err error) {
	if !slices.Contains([]string{"gzip", "br", "zstd", "deflate"}, encoding) {
		return nil, nil, errEncoding
	}
	start, err := sent.Peek(zstd.HeaderMaxSize)
	if len(start) == 0 && errors.Is(err, io.EOF) { // an empty body is one in any encoding
		return sent, func() {}, nil
	}
	if len(start) == 0 {
		return nil, nil, err
	}
	window, err := windowOf(encoding, start)
	if err != nil {
		return nil, nil, err
	}
	z, err := d.take(ctx, encoding, window)
	if err != nil {
		return nil, nil, err
	}
	if err := z.Reset(sent); err != nil {
		d.put(z)
		return nil, nil, err
	}
	return z, func() { d.put(z) }, nil
}

// windowOf returns the bytes that the decoder of a body that starts so may have to
// remember, rounded up to a power of two.
func windowOf(encoding string, start []byte) (int64, error) {
	var window int64
	var err error
	switch encoding {
	case "gzip", "deflate":
		return 32 << 10, nil
	case "br":
		window = brotliWindow(start[0])
	default:
		window, err = zstdWindow(start)
	}
	rounded := int64(smallWindow)
	for rounded < window {
		rounded *= 2
	}
	return rounded, err
}

// brotliWindow reads the window's size (RFC 7932, section 9.1).
func brotliWindow(first byte) int64 {
	switch {
	case first&1 == 0:
		return 1 << 16
	case first>>1&7 != 0:
		return 1 << (17 + first>>1&7)
	}
	return 1 << 17 // or less
}

func zstdWindow(start []byte) (int64, error) {
	var h zstd.Header
	if err := h.Decode(start); err != nil {
		return 0, err
	}
	window := h.WindowSize
	switch {
	case h.Skippable:
		window = maxWindow // nothing is known yet
	case h.SingleSegment:
		window = h.FrameContentSize
	}
	if window > maxWindow {
		return 0, fmt.Errorf("its window is %d MiB, over the %d that browsers allow", window>>20, maxWindow>>20)
	}
	return int64(window), nil
}
