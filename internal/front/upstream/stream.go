package upstream

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
)

// withheld is how much of the end of a body that is streamed is kept back until all of it was compared, in
// bytes: a visitor never has the whole of a wrong one.
const withheld = 64 << 10

// Stream writes a body that is too large to be verified before it is sent. begin is called once, before the
// first byte. Origins are asked one after another until one has sent bytes. The error says that the body was
// cut, if begun, or that no origin has it.
func (s *Set) Stream(ctx context.Context, want Want, to io.Writer, begin func()) (begun bool, err error) {
	err = ErrNoOrigin
	for _, o := range s.order(want.Rank) {
		w := &streamer{to: to, begin: begin, left: want.File.Size}
		d, right := o.stream(ctx, want, w)
		if right {
			o.served.Add(1)
			return true, w.end()
		}
		if ctx.Err() == nil {
			s.note(o, d, false)
		}
		err = fmt.Errorf("%w: %s: %s: %s", ErrNoOrigin, o.Name, d.Kind, d.Detail)
		if w.begun || ctx.Err() != nil {
			return w.begun, err
		}
	}
	return false, err
}

func (o *Origin) stream(ctx context.Context, want Want, w *streamer) (diff.Difference, bool) {
	f := want.File
	seen := o.client.Fetch(ctx, origin.Page{
		Path: f.Path, URL: o.Endpoint.Style.URLPath(f.Path), Size: f.Size,
		Keep: func(status int, _ http.Header) io.Writer {
			if status != http.StatusOK || w.begun {
				return nil
			}
			return w
		},
	})
	d, _ := diff.Judge(diff.Expectation{File: f}, seen)
	return d, seen.Err == nil && seen.Status == http.StatusOK && seen.Digest == f.Digest && w.left == 0 && w.err == nil
}

// streamer passes on all but the end of a body.
type streamer struct {
	to    io.Writer
	begin func()
	begun bool
	left  int64 // bytes that are still to come
	tail  []byte
	err   error // of the visitor
}

// Write passes on what is not the end.
func (w *streamer) Write(p []byte) (int, error) {
	n := len(p)
	if int64(n) > w.left {
		w.left = -1 // longer than the file: it is never whole
		return n, io.ErrShortWrite
	}
	w.left -= int64(n)
	w.tail = append(w.tail, p...)
	if out := len(w.tail) - withheld; out > 0 {
		if !w.begun {
			w.begun = true
			w.begin()
		}
		_, w.err = w.to.Write(w.tail[:out])
		w.tail = append(w.tail[:0], w.tail[out:]...)
	}
	return n, w.err
}

// end passes the end on, once the body was compared.
func (w *streamer) end() error {
	if !w.begun {
		w.begin()
	}
	_, err := w.to.Write(w.tail)
	return err
}

// StreamTime is for how long a body of a size may take, at the slowest rate that an origin may have.
func StreamTime(size int64) time.Duration {
	return time.Minute + time.Duration(float64(size)/origin.MinBodyRate*float64(time.Second))
}
