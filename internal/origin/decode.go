package origin

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/semaphore"
)

// What a decoder has to remember of what it decoded is said by the body's first bytes, so
// by the origin. A client's decoders have room for allWindows together, in bytes, and one
// of zstd for maxWindow: what browsers allow (RFC 9659). Small windows need no room.
const (
	allWindows  = 32 << 20
	maxWindow   = 8 << 20
	smallWindow = 512 << 10
)

// decoder is a decoder that can be used again.
type decoder interface {
	io.Reader
	Reset(r io.Reader) error
}

// decoders decodes bodies within bounds.
type decoders struct {
	room  *semaphore.Weighted
	pools map[string]*sync.Pool
	sent  sync.Pool
}

func newDecoders() *decoders {
	d := &decoders{room: semaphore.NewWeighted(allWindows), pools: map[string]*sync.Pool{
		"gzip": {New: func() any { return new(gzip.Reader) }},
		"br":   {New: func() any { return new(brotli.Reader) }},
		"zstd": {New: func() any { return newZstd(smallWindow) }},
	}}
	d.sent.New = func() any { return bufio.NewReaderSize(nil, 8<<10) }
	return d
}

func newZstd(window uint64) decoder {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window))
	if err != nil {
		panic(err) // of a bad option
	}
	return z
}

// decoding is a body that is being decoded.
type decoding struct {
	decoded io.Reader
	sent    *bufio.Reader // what the decoder has not read yet
	close   func()
}

// errEncoding is of an encoding that nobody asked for.
var errEncoding = errors.New("nobody asked for it")

// open starts to decode a body. It waits until there is room for that.
func (d *decoders) open(ctx context.Context, encoding string, body io.Reader) (*decoding, error) {
	if encoding == "x-gzip" {
		encoding = "gzip"
	}
	pool, ok := d.pools[encoding]
	if !ok {
		return nil, errEncoding
	}
	sent := d.sent.Get().(*bufio.Reader)
	sent.Reset(body)
	start, err := sent.Peek(zstd.HeaderMaxSize)
	if len(start) == 0 && err == io.EOF { // an empty body is one in any encoding
		return &decoding{decoded: sent, sent: sent, close: func() { d.sent.Put(sent) }}, nil
	}
	window, err := windowOf(encoding, start)
	if err != nil {
		return nil, err
	}
	if window <= smallWindow {
		z := pool.Get().(decoder)
		return &decoding{decoded: z, sent: sent, close: func() { pool.Put(z); d.sent.Put(sent) }}, z.Reset(sent)
	}
	return d.openLarge(ctx, encoding, window, sent)
}

// openLarge starts to decode a body whose decoder needs room, and is not kept.
func (d *decoders) openLarge(ctx context.Context, encoding string, window int64, sent *bufio.Reader) (*decoding, error) {
	if err := d.room.Acquire(ctx, window); err != nil {
		return nil, err
	}
	body := &decoding{sent: sent, close: func() { d.room.Release(window); d.sent.Put(sent) }}
	if encoding == "br" {
		body.decoded = brotli.NewReader(sent)
		return body, nil
	}
	z := newZstd(uint64(window))
	body.decoded = z
	return body, z.Reset(sent)
}

// windowOf returns the bytes that the decoder of a body that starts so may have to remember.
func windowOf(encoding string, start []byte) (int64, error) {
	switch encoding {
	case "br":
		return brotliWindow(start[0]), nil
	case "zstd":
		return zstdWindow(start)
	}
	return 32 << 10, nil
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
