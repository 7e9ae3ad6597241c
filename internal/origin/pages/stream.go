package pages

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"mirror/internal/origin"
	"mirror/site"
)

// errEnough ends a stream of which no more is wanted.
var errEnough = errors.New("enough was read")

// pageAt is what to ask for at a path.
func pageAt(c *origin.Client, path string) origin.Page {
	return origin.Page{Path: path, URL: c.Endpoint().Style.URLPath(path)}
}

// stream asks for a page and has parse read its body while it comes, so that a large one
// is never held. parse begins anew with each answer that accept takes, and what it says of
// the last one is returned.
func stream(ctx context.Context, c *origin.Client, page origin.Page, limit int64, accept func(http.Header) bool, parse func(http.Header, io.Reader) error) (site.Observation, error) {
	var reading *streaming
	again := func(status int, header http.Header) io.Writer {
		_ = reading.end(site.ErrTooLong) // what the answer before this one was counts no more
		reading = nil
		if status != http.StatusOK || !accept(header) {
			return nil
		}
		reading = newStreaming(func(r io.Reader) error { return parse(header, r) })
		return reading.in
	}
	page.Keep = again
	o := origin.FetchAny(ctx, c.Fetch, page, limit)
	if err := reading.end(o.Err); err != nil {
		return o, err
	}
	if errors.Is(o.Err, errEnough) {
		return o, nil
	}
	return o, o.Err
}

// fetchText returns the start of a small text, and the status of the answer, 0 where none came.
func fetchText(ctx context.Context, c *origin.Client, path string) (text []byte, status int, err error) {
	var body bytes.Buffer
	page := pageAt(c, path)
	page.Keep = func(int, http.Header) io.Writer { body.Reset(); return &body }
	o := c.Fetch(ctx, page)
	return body.Bytes(), o.Status, o.Err
}

// streaming is a parser that runs beside the request that feeds it.
type streaming struct {
	in   *io.PipeWriter
	done chan error
}

func newStreaming(parse func(io.Reader) error) *streaming {
	out, in := io.Pipe()
	s := &streaming{in: in, done: make(chan error, 1)}
	go func() {
		err := parse(out)
		out.CloseWithError(errEnough)
		if errors.Is(err, errEnough) {
			err = nil
		}
		s.done <- err
	}()
	return s
}

// end tells the parser how its input ended, and returns what it says.
func (s *streaming) end(err error) error {
	if s == nil {
		return nil
	}
	s.in.CloseWithError(err) // nil is the end of the file
	return <-s.done
}
