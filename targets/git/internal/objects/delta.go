package objects

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

var errDelta = errors.New("a delta is malformed")

// sized is a content that can be read at any place.
type sized interface {
	io.ReaderAt
	Size() int64
}

// applyDelta writes what a delta makes of a base, which must be of the given size. See
// gitformat-pack(5).
func applyDelta(delta io.Reader, base sized, size int64, out io.Writer) error {
	d := &deltaReader{in: bufio.NewReader(delta), base: base, out: out, left: size, buf: make([]byte, 16<<10)}
	from, err := leb128(d.in)
	if err != nil || from != uint64(base.Size()) {
		return errDelta
	}
	to, err := leb128(d.in)
	if err != nil || to != uint64(size) {
		return errDelta
	}
	for {
		op, err := d.in.ReadByte()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := d.step(op); err != nil {
			return err
		}
	}
	if d.left != 0 {
		return errDelta
	}
	return nil
}

type deltaReader struct {
	in   *bufio.Reader
	base sized
	out  io.Writer
	left int64 // bytes of the result that are missing
	buf  []byte
}

// step does one instruction: a copy from the base, or bytes that follow.
func (d *deltaReader) step(op byte) error {
	if op&0x80 == 0 {
		return d.write(d.in, int64(op))
	}
	var at, size int64
	for bit := range 7 {
		if op&(1<<bit) == 0 {
			continue
		}
		b, err := d.in.ReadByte()
		if err != nil {
			return errDelta
		}
		if bit < 4 {
			at |= int64(b) << (8 * bit)
		} else {
			size |= int64(b) << (8 * (bit - 4))
		}
	}
	if size == 0 {
		size = 0x10000
	}
	if at+size > d.base.Size() {
		return errDelta
	}
	return d.write(io.NewSectionReader(d.base, at, size), size)
}

func (d *deltaReader) write(from io.Reader, size int64) error {
	if d.left -= size; size == 0 || d.left < 0 {
		return errDelta
	}
	n, err := io.CopyBuffer(d.out, io.LimitReader(from, size), d.buf)
	if err == nil && n != size {
		err = errDelta
	}
	return err
}

// deltaResult is the size of what a delta makes: the second number in it.
func (f *firstBytes) deltaResult() uint64 {
	r := bytes.NewReader(f.buf)
	_, _ = leb128(r) // the base's size
	size, err := leb128(r)
	if err != nil {
		return 0 // no delta at all: the parser says so
	}
	return size
}

func leb128(r io.ByteReader) (n uint64, err error) {
	for shift := 0; shift < 64; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n, nil
		}
	}
	return 0, ErrTooMuch
}
