package origin

import (
	"bufio"
	"compress/flate"
	"compress/zlib"
	"io"
)

// deflate decodes the coding of that name, which is zlib (RFC 9110, section 8.4.1.2). Some servers
// send the bare stream of RFC 1951, and browsers take that too.
type deflate struct{ io.Reader }

// Reset begins a body. It looks at its first two bytes, which a *bufio.Reader lets it see.
func (d *deflate) Reset(r io.Reader) (err error) {
	body, ok := r.(*bufio.Reader)
	if !ok {
		body = bufio.NewReader(r)
	}
	start, err := body.Peek(2)
	if len(start) == 2 && start[0]&0x0f == 8 && (int(start[0])<<8|int(start[1]))%31 == 0 { // RFC 1950, section 2.2
		d.Reader, err = zlib.NewReader(body)
		return err
	}
	if len(start) == 0 {
		return err
	}
	d.Reader = flate.NewReader(body)
	return nil
}
