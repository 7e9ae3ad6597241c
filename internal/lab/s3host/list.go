package s3host

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/rclone/gofakes3"
)

// ListBucket lists the objects from the page's marker on, in key order.
func (b *bucket) ListBucket(_ context.Context, name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	if err := b.knows(name); err != nil {
		return nil, err
	}
	if prefix == nil {
		prefix = &gofakes3.Prefix{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	list := gofakes3.NewObjectList()
	keys := b.sorted()
	start, after := slices.BinarySearch(keys, page.Marker)
	if after {
		start++
	}
	for _, key := range keys[start:] {
		folder, ok := match(*prefix, key)
		if !ok || folder != "" && (folder == list.NextMarker || folder == page.Marker) {
			continue // not asked for, or in a folder that is listed already
		}
		if page.MaxKeys > 0 && int64(len(list.Contents)+len(list.CommonPrefixes)) == page.MaxKeys {
			list.IsTruncated = true
			return list, nil
		}
		if folder != "" {
			list.AddPrefix(folder)
			list.NextMarker = folder
			continue
		}
		list.Add(b.listed(key))
		list.NextMarker = key
	}
	list.NextMarker = ""
	return list, nil
}

// match says whether a key is asked for, and which folder stands for it, if one does.
func match(p gofakes3.Prefix, key string) (folder string, ok bool) {
	rest, ok := strings.CutPrefix(key, p.Prefix)
	if !ok || !p.HasDelimiter || p.Delimiter == "" {
		return "", ok
	}
	if i := strings.Index(rest, p.Delimiter); i >= 0 {
		return p.Prefix + rest[:i+len(p.Delimiter)], true
	}
	return "", true
}

func (b *bucket) listed(key string) *gofakes3.Content {
	o := b.objects[key]
	return &gofakes3.Content{
		Key:          key,
		LastModified: gofakes3.NewContentTime(o.modified),
		ETag:         `"` + hex.EncodeToString(o.md5) + `"`,
		Size:         o.at.Size,
	}
}

// ListBuckets lists the one bucket.
func (b *bucket) ListBuckets(context.Context) ([]gofakes3.BucketInfo, error) {
	return []gofakes3.BucketInfo{{Name: b.name, CreationDate: gofakes3.NewContentTime(time.Time{})}}, nil
}

// BucketExists knows the one bucket.
func (b *bucket) BucketExists(_ context.Context, name string) (bool, error) {
	return name == b.name, nil
}

// CreateBucket refuses: the service has one bucket.
func (b *bucket) CreateBucket(_ context.Context, name string) error {
	if name == b.name {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	return gofakes3.ErrTooManyBuckets
}

// DeleteBucket refuses: the website needs the bucket.
func (b *bucket) DeleteBucket(_ context.Context, name string) error {
	if err := b.knows(name); err != nil {
		return err
	}
	return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
}
