package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"

	"mirror/internal/realserver/s3gateway"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/s3"
	"mirror/targets/targettest"
)

// place is a service with a bucket that the tests can look into from outside.
type place struct {
	endpoint, bucket, key, secret string
	folder                        string // of the bucket's files; "" for a service without
	website                       string // "" for a service without
	api                           *awss3.Client
	config                        s3.Config // what differs from the defaults
}

// gateway starts the real S3 gateway.
func gateway(t testing.TB) *place {
	g := s3gateway.Start(t)
	return &place{
		endpoint: g.Endpoint, bucket: g.Bucket, key: g.AccessKey, secret: g.SecretKey,
		folder: g.Folder, website: g.Website, api: g.Client(),
	}
}

// fake starts the embedded service, which keeps keys as keys and not as files.
func fake(t testing.TB) *place {
	const bucket, key, secret = "site", "key", "secret"
	server := httptest.NewServer(gofakes3.New(s3mem.New(),
		gofakes3.WithV4Auth(map[string]string{key: secret})).Server())
	t.Cleanup(server.Close)
	p := &place{endpoint: server.URL, bucket: bucket, key: key, secret: secret}
	p.api = awss3.New(awss3.Options{
		BaseEndpoint: &p.endpoint, Region: "us-east-1", UsePathStyle: true,
		Credentials:                credentials.NewStaticCredentialsProvider(key, secret, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
	})
	if _, err := p.api.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &p.bucket}); err != nil {
		t.Fatal(err)
	}
	return p
}

// open gives a handle as another process of the same publisher would have it.
func (p *place) open(t testing.TB, transport http.RoundTripper) *s3.Target {
	return p.openAs(t, "fixture", "", transport)
}

func (p *place) openAs(t testing.TB, owner, state string, transport http.RoundTripper) *s3.Target {
	t.Helper()
	return p.openWith(t, targets.Env{Owner: owner, State: state, Transport: transport})
}

func (p *place) openWith(t testing.TB, env targets.Env) *s3.Target {
	t.Helper()
	c := p.config
	c.Bucket, c.Endpoint, c.Region = p.bucket, p.endpoint, "us-east-1"
	c.AccessKeyEnv, c.SecretKeyEnv = "TEST_KEY", "TEST_SECRET"
	env.Getenv = func(name string) string { return map[string]string{"TEST_KEY": p.key, "TEST_SECRET": p.secret}[name] }
	tgt, err := s3.Open(t.Context(), env, c)
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}

// fixture is the place as the common suite needs it.
func (p *place) fixture() targettest.Fixture {
	f := targettest.Fixture{
		Kind: s3.Kind(),
		Open: func(t *testing.T, transport http.RoundTripper) targets.Target { return p.open(t, transport) },
		Keeping: func(t *testing.T, keep targets.Keep) targets.Target {
			return p.openWith(t, targets.Env{Owner: "fixture", Keep: keep})
		},
		Gracing: func(t *testing.T, policy *grace.Policy) targets.Target {
			return p.openWith(t, targets.Env{Owner: "fixture", Grace: policy})
		},
		Guarded: func(t *testing.T, owner string, lease time.Duration, transport http.RoundTripper) targets.Target {
			tgt := p.openAs(t, owner, "", transport)
			tgt.SetLease(lease)
			return tgt
		},
		Silence: s3.Silence,
		Holds:   p.holds,
		HTTP:    true,
		Read:    p.readObject,
		Put:     p.putObjects,
	}
	if p.folder != "" {
		f.Read, f.Put = p.readWebsite, p.putFiles
	}
	return f
}

// readWebsite reads as a visitor does: plain HTTP, no keys.
func (p *place) readWebsite(path string) ([]byte, error) {
	resp, err := http.Get(p.website + site.URLStyle{NoIndex: true}.URLPath(path))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, fs.ErrNotExist
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %s", path, resp.Status)
	}
	return body, err
}

func (p *place) readObject(path string) ([]byte, error) {
	out, err := p.api.GetObject(context.Background(), &awss3.GetObjectInput{Bucket: &p.bucket, Key: aws.String(p.config.Prefix + path)})
	if err != nil {
		if strings.Contains(err.Error(), "NoSuchKey") {
			return nil, fs.ErrNotExist
		}
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

// putFiles tampers below the gateway: the file's bytes change and its attributes, with
// the ETag among them, stay.
func (p *place) putFiles(t *testing.T, files map[string][]byte) {
	t.Helper()
	for path, data := range files {
		name := filepath.Join(p.folder, filepath.FromSlash(path))
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if data == nil {
			err = errors.Join(err, os.Remove(name))
		} else {
			err = errors.Join(err, os.WriteFile(name, data, 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (p *place) putObjects(t *testing.T, files map[string][]byte) {
	t.Helper()
	for path, data := range files {
		key := aws.String(p.config.Prefix + path)
		var err error
		if data == nil {
			_, err = p.api.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: &p.bucket, Key: key})
		} else {
			_, err = p.api.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: &p.bucket, Key: key, Body: bytes.NewReader(data)})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// publish takes a target through plan, stage and commit.
func publish(t testing.TB, tgt targets.Target, rel *site.Release) targets.Swap {
	t.Helper()
	swap, err := targettest.Publish(t.Context(), tgt, rel)
	if err != nil {
		t.Fatal(err)
	}
	return swap
}

// plain starts a service that takes everything, conditions and batches apart: it ignores
// the former and refuses the latter.
func plain(t testing.TB) *place {
	p := &place{bucket: "site", key: "key", secret: "secret"}
	service := gofakes3.New(s3mem.New()).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("If-Match")
		r.Header.Del("If-None-Match")
		if r.URL.Query().Has("delete") {
			w.WriteHeader(http.StatusNotImplemented)
			return
		}
		service.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.endpoint = server.URL
	p.api = awss3.New(awss3.Options{
		BaseEndpoint: &p.endpoint, Region: "us-east-1", UsePathStyle: true,
		Credentials:                credentials.NewStaticCredentialsProvider("key", "secret", ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
	})
	if _, err := p.api.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &p.bucket}); err != nil {
		t.Fatal(err)
	}
	return p
}

// keys lists the keys that begin so.
func (p *place) keys(t testing.TB, under string) []string {
	t.Helper()
	out, err := p.api.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: &p.bucket, Prefix: &under})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range out.Contents {
		keys = append(keys, *o.Key)
	}
	return keys
}

func (p *place) deleteKey(t testing.TB, key string) {
	t.Helper()
	if _, err := p.api.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: &p.bucket, Key: &key}); err != nil {
		t.Fatal(err)
	}
}
