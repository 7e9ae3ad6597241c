package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"mirror/internal/compression"
	"mirror/targets/s3/internal/bucket"
)

// ReadContents reads single objects.
func (t *Target) ReadContents(ctx context.Context, paths []string, limit int64) (map[string][]byte, error) {
	var mu sync.Mutex
	contents, errs := map[string][]byte{}, []error(nil)
	var all errgroup.Group
	all.SetLimit(t.bucket.Limit)
	for _, path := range paths {
		all.Go(func() error {
			text, err := t.readContent(ctx, path, limit)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
			} else if text != nil {
				contents[path] = text
			}
			return nil
		})
	}
	_ = all.Wait() // errs has what failed
	if len(contents) == 0 {
		return nil, errors.Join(errs...)
	}
	return contents, nil
}

// readContent reads an object. A missing one, and one over the limit, is nil.
func (t *Target) readContent(ctx context.Context, path string, limit int64) ([]byte, error) {
	o, err := t.bucket.Open(ctx, path)
	if bucket.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer o.Close()
	if o.Size > limit {
		return nil, nil
	}
	plain, err := t.plainContent(o)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	defer plain.Close()
	text, err := io.ReadAll(io.LimitReader(plain, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	if int64(len(text)) > limit {
		return nil, nil
	}
	if text == nil {
		text = []byte{}
	}
	return text, nil
}

// plainContent returns the reader of the site's file in an object, as far as a rule has it compressed.
func (t *Target) plainContent(o *bucket.Reader) (io.ReadCloser, error) {
	coding := codingFor(t.rules, o.Path)
	if coding == "" || bucket.ContentCoding(o.Headers.Encoding) != string(coding) {
		return io.NopCloser(o), nil
	}
	return compression.Decode(coding, o)
}
