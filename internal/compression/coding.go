// Package compression makes the compressed variants of files, and chooses among them by what a client accepts
// (RFC 9110, section 12.5.3).
//
// A variant is made once for the bytes of a file: a Store keeps it by the digest of the file, in memory and, if it has a
// folder, across runs.
package compression

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Coding is a content coding, by its name in Content-Encoding; "" is none.
type Coding string

// The codings that are offered.
const (
	Gzip   Coding = "gzip"
	Brotli Coding = "br"
	Zstd   Coding = "zstd"
)

// preferred lists the codings, that which usually saves most first.
var preferred = []Coding{Brotli, Zstd, Gzip}

// Parse reads a list of codings. The result is in the order of preference.
func Parse(names []string) ([]Coding, error) {
	var all []Coding
	for _, name := range names {
		if !slices.Contains(preferred, Coding(name)) {
			return nil, fmt.Errorf("%q is not a supported compression (hint: gzip, br, zstd)", name)
		}
		all = append(all, Coding(name))
	}
	slices.SortFunc(all, func(a, b Coding) int { return slices.Index(preferred, a) - slices.Index(preferred, b) })
	return slices.Compact(all), nil
}

// compressible lists media types beside text/* and those that end in +json or +xml.
var compressible = []string{
	"application/javascript", "application/json", "application/ld+json", "application/manifest+json", "application/wasm", "application/xml",
	"application/vnd.ms-fontobject", "font/otf", "font/ttf", "image/bmp", "image/svg+xml", "image/x-icon", "image/vnd.microsoft.icon",
}

// Compressible reports whether files of a media type become smaller as a rule.
func Compressible(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (strings.HasPrefix(kind, "text/") && kind != "text/event-stream" || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml") ||
		slices.Contains(compressible, kind))
}

// Encode compresses a body. The same body gives the same bytes with the same version of the program.
func Encode(c Coding, body []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := writer(c, &out)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// The levels give almost the smallest result in a time that the first visitor of a page can wait.
const (
	gzipLevel   = 9
	brotliLevel = 9
)

func writer(c Coding, to io.Writer) (io.WriteCloser, error) {
	switch c {
	case Gzip:
		return gzip.NewWriterLevel(to, gzipLevel)
	case Brotli:
		return brotli.NewWriterLevel(to, brotliLevel), nil
	case Zstd:
		return zstd.NewWriter(to, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithWindowSize(maxWindow))
	}
	return nil, fmt.Errorf("%q is not a supported compression", c)
}

// maxWindow is the largest window of a decoder: what browsers allow (RFC 9659).
const maxWindow = 8 << 20

// Decode returns the reader of what a variant is made from. Close it.
func Decode(c Coding, variant io.Reader) (io.ReadCloser, error) {
	switch c {
	case Gzip:
		return gzip.NewReader(variant)
	case Brotli:
		return io.NopCloser(brotli.NewReader(variant)), nil
	case Zstd:
		z, err := zstd.NewReader(variant, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("%q is not a supported compression", c)
}

// decodesTo reports whether a variant is one of a body.
func decodesTo(c Coding, variant, body []byte) bool {
	r, err := Decode(c, bytes.NewReader(variant))
	if err != nil {
		return false
	}
	defer r.Close()
	got, err := io.ReadAll(io.LimitReader(r, int64(len(body))+1))
	return err == nil && bytes.Equal(got, body)
}
