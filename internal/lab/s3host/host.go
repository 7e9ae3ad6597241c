// Package s3host is an S3 service on loopback with one bucket, and the website that shows the
// bucket's objects. It stands in for S3 and its static hosting in demos and tests.
package s3host

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"slices"

	"github.com/rclone/gofakes3"

	"mirror/internal/lab/edge"
	"mirror/internal/static"
)

// Host is an S3 service with one bucket, which is served as a website.
type Host struct {
	*edge.Origin
	Endpoint  string // to be used with path-style addressing
	Region    string
	Bucket    string
	AccessKey string
	SecretKey string

	bucket      *bucket
	contentType func(path string, head []byte) string
}

// Options say how an S3 service is set up.
type Options struct {
	Bucket      string                                // "" for site
	ContentType func(path string, head []byte) string // of what is edited; nil for S3's default
}

// New returns an S3 service that stores in a spool. It has no address yet: see Serve.
func New(spool *static.Spool, o Options) *Host {
	o.Bucket = cmp.Or(o.Bucket, "site")
	s := &Host{
		Region:      "us-east-1",
		Bucket:      o.Bucket,
		AccessKey:   "LAB" + rand.Text()[:17],
		SecretKey:   rand.Text() + rand.Text(),
		contentType: o.ContentType,
	}
	s.bucket = newBucket(o.Bucket, spool)
	s.Origin = edge.NewOrigin("s3", "s3", s.bucket.visible, &website{s.bucket})
	return s
}

// Serve has listen serve the API to S3 clients. listen returns the base URL, without a slash
// at its end, from which h is served.
func (s *Host) Serve(listen func(h http.Handler) (string, error)) (err error) {
	api := gofakes3.New(s.bucket, gofakes3.WithV4Auth(map[string]string{s.AccessKey: s.SecretKey}))
	s.Endpoint, err = listen(api.Server())
	return err
}

// Edit changes objects as a person would with the service's console, nil content removing
// one, visible at once. An object that is there keeps its headers.
func (s *Host) Edit(_ context.Context, files map[string][]byte) error {
	return s.edit(files, nil, true)
}

// EditHeaders does the same and gives every object these headers in place of its own.
func (s *Host) EditHeaders(_ context.Context, files map[string][]byte, header http.Header) error {
	return s.edit(files, header, true)
}

// Change does as Edit does, in the order of the keys, but the website shows each change
// when it would any write.
func (s *Host) Change(_ context.Context, files map[string][]byte) error {
	return s.edit(files, nil, false)
}

func (s *Host) edit(files map[string][]byte, header http.Header, atOnce bool) error {
	for _, key := range slices.Sorted(maps.Keys(files)) {
		var o *object
		content := files[key]
		if content != nil {
			var err error
			o, err = s.bucket.store(bytes.NewReader(content), int64(len(content)), nil)
			if err != nil {
				return err
			}
		}
		s.bucket.mu.Lock()
		if o != nil {
			o.meta = s.meta(key, content, header)
		}
		s.bucket.put(key, o, atOnce)
		s.bucket.mu.Unlock()
	}
	return nil
}

// meta are the headers of an edited object. The caller must hold the bucket's mu.
func (s *Host) meta(key string, content []byte, header http.Header) map[string]string {
	meta := map[string]string{}
	for name := range header {
		meta[http.CanonicalHeaderKey(name)] = header.Get(name)
	}
	if old := s.bucket.objects[key]; header == nil && old != nil {
		maps.Copy(meta, old.meta)
		return meta
	}
	if meta["Content-Type"] == "" && s.contentType != nil {
		meta["Content-Type"] = s.contentType(key, content[:min(len(content), 512)])
	}
	return meta
}

// Object returns an object's bytes and headers as they are stored, false where there is none.
func (s *Host) Object(key string) ([]byte, http.Header, bool) {
	s.bucket.mu.RLock()
	defer s.bucket.mu.RUnlock()
	o := s.bucket.objects[key]
	if o == nil {
		return nil, nil, false
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(s.bucket.spool.Open(o.at)); err != nil {
		return nil, nil, false
	}
	header := http.Header{}
	for name, value := range o.meta {
		header.Set(name, value)
	}
	return b.Bytes(), header, true
}
