package s3host

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rclone/gofakes3"

	"mirror/internal/lab/edge"
	"mirror/internal/static"
)

// bucket is the storage of an S3 service with one bucket. A copy shares its source's
// bytes. What is written becomes visible to the website at the origin's pace.
type bucket struct {
	name    string
	spool   *static.Spool
	visible *edge.Objects[*object]

	mu      sync.RWMutex // guards what follows
	objects map[string]*object
	keys    []string // sorted; nil when it must be made anew
}

var _ gofakes3.Backend = (*bucket)(nil)

// object is never changed once it is stored.
type object struct {
	at       static.Section
	md5      []byte
	sum      [sha256.Size]byte
	meta     map[string]string // canonical header names
	modified time.Time
}

func newBucket(name string, spool *static.Spool) *bucket {
	public := func(key string) bool { return !strings.HasPrefix(key, private) }
	return &bucket{name: name, spool: spool, visible: edge.NewObjects(public, (*object).digest), objects: map[string]*object{}}
}

// digest is that of the content, zero for no object.
func (o *object) digest() [sha256.Size]byte {
	if o == nil {
		return [sha256.Size]byte{}
	}
	return o.sum
}

// put stores an object under a key, nil removing it, to be seen when its time has come or by
// every cache at once. The caller must hold mu.
func (b *bucket) put(key string, o *object, atOnce bool) {
	if (b.objects[key] == nil) != (o == nil) {
		b.keys = nil
	}
	if o == nil {
		delete(b.objects, key)
	} else {
		b.objects[key] = o
	}
	b.visible.Put(key, o, atOnce)
}

// store keeps the bytes of a new object.
func (b *bucket) store(r io.Reader, size int64, meta map[string]string) (*object, error) {
	md5, sum := md5.New(), sha256.New()
	r = io.TeeReader(r, io.MultiWriter(md5, sum))
	var at static.Section
	var err error
	if size >= 0 {
		if at, err = b.spool.Copy(r, size); err == nil {
			_, err = io.Copy(io.Discard, r) // to the end, where gofakes3 checks the checksums
		}
	} else {
		var all bytes.Buffer
		if _, err = all.ReadFrom(r); err == nil {
			at, err = b.spool.Add(all.Bytes())
		}
	}
	return &object{at, md5.Sum(nil), [sha256.Size]byte(sum.Sum(nil)), meta, time.Now()}, err
}

func (b *bucket) knows(name string) error {
	if name != b.name {
		return gofakes3.BucketNotFound(name)
	}
	return nil
}

// PutObject stores an object; If-Match and If-None-Match hold under the lock.
func (b *bucket) PutObject(ctx context.Context, name, key string, meta map[string]string, input io.Reader, size int64) (gofakes3.PutObjectResult, error) {
	var result gofakes3.PutObjectResult
	if err := b.knows(name); err != nil {
		return result, err
	}
	o, err := b.store(input, size, maps.Clone(meta))
	if err != nil {
		return result, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old, etag := b.objects[key], ""
	if old != nil {
		etag = hex.EncodeToString(old.md5)
	}
	if err := gofakes3.CheckWriteConditions(ctx, old != nil, etag); err != nil {
		return result, err
	}
	b.put(key, o, false)
	return result, nil
}

// CopyObject gives the source's bytes another key and other metadata.
func (b *bucket) CopyObject(_ context.Context, srcBucket, srcKey, dstBucket, dstKey string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	var result gofakes3.CopyObjectResult
	if err := b.knows(dstBucket); err != nil {
		return result, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	src, err := b.get(srcBucket, srcKey)
	if err != nil {
		return result, err
	}
	o := &object{src.at, src.md5, src.sum, maps.Clone(meta), time.Now()}
	b.put(dstKey, o, false)
	result.ETag = `"` + hex.EncodeToString(o.md5) + `"`
	result.LastModified = gofakes3.NewContentTime(o.modified)
	return result, nil
}

// get finds an object. The caller must hold mu.
func (b *bucket) get(name, key string) (*object, error) {
	if err := b.knows(name); err != nil {
		return nil, err
	}
	o := b.objects[key]
	if o == nil {
		return nil, gofakes3.KeyNotFound(key)
	}
	return o, nil
}

// HeadObject gives an object without its bytes.
func (b *bucket) HeadObject(_ context.Context, name, key string) (*gofakes3.Object, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	o, err := b.get(name, key)
	if err != nil {
		return nil, err
	}
	return &gofakes3.Object{Name: key, Metadata: o.meta, Size: o.at.Size, Hash: o.md5, Contents: io.NopCloser(strings.NewReader(""))}, nil
}

// GetObject gives an object, or a range of it.
func (b *bucket) GetObject(_ context.Context, name, key string, asked *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	o, err := b.get(name, key)
	if err != nil {
		return nil, err
	}
	part, err := asked.Range(o.at.Size)
	if err != nil {
		return nil, err
	}
	at := o.at
	if part != nil {
		at = static.Section{Off: at.Off + part.Start, Size: part.Length}
	}
	return &gofakes3.Object{Name: key, Metadata: o.meta, Size: o.at.Size, Hash: o.md5, Range: part, Contents: io.NopCloser(b.spool.Open(at))}, nil
}

// DeleteObject removes an object, if it is there.
func (b *bucket) DeleteObject(ctx context.Context, name, key string) (gofakes3.ObjectDeleteResult, error) {
	_, err := b.DeleteMulti(ctx, name, key)
	return gofakes3.ObjectDeleteResult{}, err
}

// DeleteMulti removes objects.
func (b *bucket) DeleteMulti(_ context.Context, name string, keys ...string) (gofakes3.MultiDeleteResult, error) {
	var result gofakes3.MultiDeleteResult
	if err := b.knows(name); err != nil {
		return result, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		if b.objects[key] != nil {
			b.put(key, nil, false)
		}
		result.Deleted = append(result.Deleted, gofakes3.ObjectID{Key: key})
	}
	return result, nil
}

// sorted is all keys in order. The caller must hold mu for writing.
func (b *bucket) sorted() []string {
	if b.keys == nil {
		b.keys = slices.Sorted(maps.Keys(b.objects))
	}
	return b.keys
}
