package origin_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/andybalholm/brotli"

	"mirror/internal/origin"
)

// bomb is an encoded body of zeros: its start, and a part that decodes to blows bytes and
// may follow any number of times.
type bomb struct {
	encoding    string
	start, more []byte
	blows       int64
}

// gzipBomb repeats a deflate block that begins and ends at a byte.
func gzipBomb(t *testing.T) bomb {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	first, second := twice(t, &b, w, 1<<20)
	return bomb{"gzip", append([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"), first...), second, 1 << 20}
}

func brotliBomb(t *testing.T) bomb {
	t.Helper()
	var b bytes.Buffer
	first, second := twice(t, &b, brotli.NewWriterOptions(&b, brotli.WriterOptions{Quality: 5, LGWin: 24}), 8<<20)
	return bomb{"br", first, second, 8 << 20}
}

// twice returns what a writer makes of zeros, and of as many after them.
func twice(t *testing.T, b *bytes.Buffer, w interface {
	io.Writer
	Flush() error
}, zeros int) (first, second []byte) {
	t.Helper()
	var parts [2][]byte
	for i := range parts {
		b.Reset()
		if _, err := w.Write(make([]byte, zeros)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		parts[i] = bytes.Clone(b.Bytes())
	}
	return parts[0], parts[1]
}

// zstdBomb begins with a header (RFC 8878, section 3.1.1.1) and repeats a block of 128 KiB
// times the same byte.
func zstdBomb(header ...byte) bomb {
	return bomb{"zstd", append([]byte("\x28\xb5\x2f\xfd"), header...), []byte("\x02\x00\x10\x00"), 128 << 10}
}

// window8M and window2T are window descriptors, of 8 MiB and of 2 TiB.
const (
	window8M = 13 << 3
	window2T = 31 << 3
)

var tenGB = binary.LittleEndian.AppendUint64(nil, 10<<30)

// goesOff serves a bomb of 10 GB.
func (b bomb) goesOff(c net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
		return
	}
	fmt.Fprintf(c, "%sContent-Encoding: %s\r\n\r\n", ok, b.encoding)
	c.Write(b.start)
	parts := int(10 << 30 / b.blows)
	many := bytes.Repeat(b.more, min(parts, 100))
	for ; parts > 0; parts -= 100 {
		if _, err := c.Write(many); err != nil {
			return
		}
	}
}

func TestBombs(t *testing.T) {
	for name, c := range map[string]struct {
		bomb bomb
		want origin.Cause
	}{
		"gzip":                                 {gzipBomb(t), origin.Bomb},
		"br":                                   {brotliBomb(t), origin.Bomb},
		"zstd":                                 {zstdBomb(0, window8M), origin.Bomb},
		"zstd that tells its size":             {zstdBomb(append([]byte{0xc0, window8M}, tenGB...)...), origin.Bomb},
		"zstd with a huge window":              {zstdBomb(0, window2T), origin.BadEncoding},
		"zstd that is its own window":          {zstdBomb(append([]byte{0xe0}, tenGB...)...), origin.BadEncoding},
		"zstd with a huge window in 2nd place": {zstdBomb(0, 0, 1, 0, 0, 0x28, 0xb5, 0x2f, 0xfd, 0, window2T), origin.BadEncoding},
		"gzip in gzip":                         {bomb{"gzip, gzip", nil, make([]byte, 1<<10), 1 << 10}, origin.BadEncoding},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ends(t, talk(t, c.bomb.goesOff), ask, false, 200, c.want)
		})
	}
}
