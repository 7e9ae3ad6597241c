package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"mirror/diff"
	"mirror/internal/front/blobs"
	"mirror/internal/origin"
	"mirror/site"
)

// Claim asks what an origin says that it serves, by its beacon. The difference says what is wrong where
// there is none; its kind is "" else.
func (o *Origin) Claim(ctx context.Context, path string) (site.Beacon, diff.Difference) {
	text := &bounded{left: site.MaxBeacon}
	seen := o.client.Fetch(ctx, origin.Page{
		Path: path, URL: o.Endpoint.Style.URLPath(path), Size: site.MaxBeacon,
		Keep: func(int, http.Header) io.Writer { text.reset(); return text },
	})
	d, _ := diff.Judge(diff.Expectation{File: site.File{Path: path, Digest: seen.Digest}}, seen)
	if seen.Err != nil || seen.Status != http.StatusOK {
		return site.Beacon{}, d
	}
	b, err := site.ParseBeacon(text.bytes)
	if err != nil || text.over {
		d.Kind, d.Detail = diff.Altered, "what is served as the beacon is not one"
		return site.Beacon{}, d
	}
	o.latency.add(seen.Answered.Sub(seen.Asked))
	return b, diff.Difference{}
}

// largestSample is how large a page of a sample may be whose size is not known, in bytes.
const largestSample = 4 << 20

// Verify fetches pages and compares them with the release. It returns the first that differs, false
// where none does.
func (o *Origin) Verify(ctx context.Context, files []site.File, store *blobs.Store) (diff.Difference, bool) {
	for _, f := range files {
		if d, right := o.verify(ctx, Want{File: f, Limit: largestSample}, store); !right {
			return d, true
		}
	}
	return diff.Difference{}, false
}

// verify fetches a page and keeps the body where it is that of the release.
func (o *Origin) verify(ctx context.Context, want Want, store *blobs.Store) (diff.Difference, bool) {
	w := store.NewWriter(want.limit(), want.File.Size)
	d, right := o.fetch(ctx, want, w)
	if !right {
		w.Discard()
		return d, false
	}
	w.Keep(want.File.Digest).Close()
	return diff.Difference{}, true
}

// Probe asks an origin whose circuit is open, when it is time to, for the page that failed. find returns
// what the release has there. It reports what it found, and whether it asked at all.
func (o *Origin) Probe(ctx context.Context, find func(path string) (site.File, bool), limit int64, store *blobs.Store) (d diff.Difference, closed, asked bool) {
	last, due := o.breaker.due(time.Now())
	if !due {
		return last, false, false
	}
	f, there := find(last.Path)
	if !there { // another release is served now, which lacks the page
		o.breaker.probed(time.Now(), last, true)
		return last, true, true
	}
	d, right := o.verify(ctx, Want{File: f, Limit: limit}, store)
	if ctx.Err() != nil {
		return last, false, false
	}
	o.breaker.probed(time.Now(), d, right)
	return d, right, true
}

// Open reports whether the origin's circuit is open.
func (o *Origin) Open() bool { return o.breaker.isOpen() }

// Text fetches a file of text that is no page of the release, of at most limit bytes.
func (o *Origin) Text(ctx context.Context, path string, limit int64) ([]byte, error) {
	text := &bounded{left: limit}
	seen := o.client.Fetch(ctx, origin.Page{
		Path: path, URL: o.Endpoint.Style.URLPath(path), Size: limit,
		Keep: func(int, http.Header) io.Writer { text.reset(); return text },
	})
	switch {
	case seen.Err != nil:
		return nil, seen.Err
	case seen.Status != http.StatusOK:
		return nil, fmt.Errorf("answered %d", seen.Status)
	case text.over:
		return nil, errors.New("it is too long")
	}
	return text.bytes, nil
}

// bounded gathers at most so many bytes.
type bounded struct {
	bytes []byte
	left  int64
	over  bool
}

func (b *bounded) reset() {
	b.left += int64(len(b.bytes))
	b.bytes, b.over = b.bytes[:0], false
}

// Write drops what is too much.
func (b *bounded) Write(p []byte) (int, error) {
	if int64(len(p)) > b.left {
		b.over = true
		return len(p), nil
	}
	b.left -= int64(len(p))
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}
