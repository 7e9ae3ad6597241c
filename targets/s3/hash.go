package s3

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/verified"
)

// hashAll tells the content of objects by reading them, unless this process did so
// before. An object that is gone meanwhile has the zero content.
func (t *Target) hashAll(ctx context.Context, list []bucket.Object) (map[string]verified.Content, error) {
	var mu sync.Mutex
	out, learnt := map[string]verified.Content{}, false
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.bucket.Limit)
	for _, o := range list {
		if c, ok := t.verified.Recall(o); ok {
			mu.Lock()
			out[o.Path] = c
			mu.Unlock()
			continue
		}
		g.Go(func() error {
			c, certain, err := t.hash(ctx, o)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			out[o.Path] = c
			if certain {
				learnt = true
				t.verified.Learn(o, c)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if learnt {
		if err := t.verified.Save(); err != nil {
			t.log.Warn("the record of verified objects could not be saved; they are verified again", "err", err)
		}
	}
	return out, nil
}

// hash reads an object. certain says that the content goes with the listed ETag and time,
// and that a later change would show in them.
func (t *Target) hash(ctx context.Context, listed bucket.Object) (c verified.Content, certain bool, err error) {
	o, err := t.bucket.Open(ctx, listed.Path)
	if bucket.IsMissing(err) {
		return verified.Content{}, false, nil
	}
	if err != nil {
		return verified.Content{}, false, err
	}
	defer o.Close()
	h := sha256.New()
	if _, err := io.Copy(h, o); err != nil {
		return verified.Content{}, false, fmt.Errorf("read %q: %w", listed.Path, err)
	}
	same := o.ETag == listed.ETag && o.Modified.Unix() == listed.Modified.Unix() && o.Size == listed.Size
	return verified.Content{Digest: site.Digest(h.Sum(nil)), Headers: o.Headers}, same && bucket.Settled(listed.Modified, o.Seen), nil
}
