package lab

import (
	"bytes"
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"slices"

	"github.com/rclone/gofakes3"
)

// S3 is an S3 service with one bucket, which is served as a website.
type S3 struct {
	*Origin
	Endpoint  string // to be used with path-style addressing
	Region    string
	Bucket    string
	AccessKey string
	SecretKey string

	bucket      *bucket
	contentType func(path string, head []byte) string
}

func (l *Lab) startS3(o Options) (*S3, error) {
	s := &S3{
		Region:      "us-east-1",
		Bucket:      o.Bucket,
		AccessKey:   "LAB" + rand.Text()[:17],
		SecretKey:   rand.Text() + rand.Text(),
		contentType: o.ContentType,
	}
	s.bucket = newBucket(o.Bucket, l.spool)
	s.Origin = newOrigin("s3", "s3", s.bucket.visible, &website{s.bucket})
	api := gofakes3.New(s.bucket, gofakes3.WithV4Auth(map[string]string{s.AccessKey: s.SecretKey}))
	var err error
	if s.Endpoint, err = l.listen(api.Server()); err != nil {
		return nil, err
	}
	return s, l.open(s.Origin)
}

// Edit changes objects as a person would with the service's console, nil content removing
// one, visible at once. An object that is there keeps its headers.
func (s *S3) Edit(_ context.Context, files map[string][]byte) error {
	return s.edit(files, nil, true)
}

// EditHeaders does the same and gives every object these headers in place of its own.
func (s *S3) EditHeaders(_ context.Context, files map[string][]byte, header http.Header) error {
	return s.edit(files, header, true)
}

// Change does as Edit does, in the order of the keys, but the website shows each change
// when it would any write.
func (s *S3) Change(_ context.Context, files map[string][]byte) error {
	return s.edit(files, nil, false)
}

func (s *S3) edit(files map[string][]byte, header http.Header, atOnce bool) error {
	for _, key := range slices.Sorted(maps.Keys(files)) {
		var o *s3Object
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
func (s *S3) meta(key string, content []byte, header http.Header) map[string]string {
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
func (s *S3) Object(key string) ([]byte, http.Header, bool) {
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
