package s3host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/rclone/gofakes3"

	"mirror/internal/lab/edge/edgetest"
	"mirror/internal/static"
)

// start starts a host until the test ends.
func start(t *testing.T, o Options) *Host {
	t.Helper()
	spool, err := static.NewSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { spool.Close() })
	h := New(spool, o)
	if err := h.Serve(edgetest.Listen(t)); err != nil {
		t.Fatal(err)
	}
	edgetest.Serve(t, h.Origin)
	return h
}

// client is the real SDK's, with the lab's keys.
func client(h *Host) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(h.Endpoint),
		Region:       h.Region,
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(h.AccessKey, h.SecretKey, ""),
	})
}

func put(t *testing.T, h *Host, key, content string, change ...func(*s3.PutObjectInput)) (*s3.PutObjectOutput, error) {
	t.Helper()
	in := &s3.PutObjectInput{Bucket: &h.Bucket, Key: &key, Body: strings.NewReader(content)}
	for _, f := range change {
		f(in)
	}
	return client(h).PutObject(t.Context(), in)
}

func mustPut(t *testing.T, h *Host, key, content string, change ...func(*s3.PutObjectInput)) string {
	t.Helper()
	out, err := put(t, h, key, content, change...)
	if err != nil {
		t.Fatal(err)
	}
	return *out.ETag
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestS3List(t *testing.T) {
	h := start(t, Options{})
	var want []string
	for i := range 25 {
		key := fmt.Sprintf("d%d/é %02d+.html", i%3, i)
		mustPut(t, h, key, "x")
		want = append(want, key)
	}
	slices.Sort(want)
	var got []string
	pages := s3.NewListObjectsV2Paginator(client(h), &s3.ListObjectsV2Input{Bucket: &h.Bucket, MaxKeys: aws.Int32(10)})
	calls := 0
	for ; pages.HasMorePages(); calls++ {
		p, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range p.Contents {
			got = append(got, *o.Key)
		}
	}
	if !slices.Equal(got, want) || calls != 3 {
		t.Errorf("listed %q in %d pages, want %q in 3", got, calls, want)
	}
	var folders []string
	pages = s3.NewListObjectsV2Paginator(client(h), &s3.ListObjectsV2Input{Bucket: &h.Bucket, MaxKeys: aws.Int32(1), Delimiter: aws.String("/")})
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range p.CommonPrefixes {
			folders = append(folders, *f.Prefix)
		}
	}
	if got, want := strings.Join(folders, " "), "d0/ d1/ d2/"; got != want {
		t.Errorf("folders %q, want %q", got, want)
	}
}

func TestS3Copy(t *testing.T) {
	h := start(t, Options{})
	etag := mustPut(t, h, ".mirror/objects/a+b", "content", func(in *s3.PutObjectInput) { in.ContentType = aws.String("text/old") })
	out, err := client(h).CopyObject(t.Context(), &s3.CopyObjectInput{
		Bucket: &h.Bucket, Key: aws.String("live é.html"), CopySource: aws.String(h.Bucket + "/.mirror/objects/a%2Bb"),
		MetadataDirective: types.MetadataDirectiveReplace, ContentType: aws.String("text/html"), CacheControl: aws.String("no-cache"),
		Metadata: map[string]string{"mirror-sha256": "abc"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := *out.CopyObjectResult.ETag; got != etag {
		t.Errorf("the copy's ETag is %s, want %s", got, etag)
	}
	head, err := client(h).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &h.Bucket, Key: aws.String("live é.html")})
	if err != nil {
		t.Fatal(err)
	}
	if *head.ContentType != "text/html" || *head.CacheControl != "no-cache" || head.Metadata["mirror-sha256"] != "abc" || *head.ContentLength != 7 {
		t.Errorf("the copy has %s, %s, %v, %d bytes", *head.ContentType, *head.CacheControl, head.Metadata, *head.ContentLength)
	}
	edgetest.WantPage(t, h.Origin, "live%20%C3%A9.html", 200, "content")
}

func TestS3Conditions(t *testing.T) {
	h := start(t, Options{})
	match := func(tag string) func(*s3.PutObjectInput) {
		return func(in *s3.PutObjectInput) { in.IfMatch = &tag }
	}
	none := func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }
	first := mustPut(t, h, "pointer", "1", none)
	if _, err := put(t, h, "pointer", "x", none); code(err) != "PreconditionFailed" {
		t.Errorf("If-None-Match on a key that exists: %v", err)
	}
	mustPut(t, h, "pointer", "2", match(first))
	if _, err := put(t, h, "pointer", "x", match(first)); code(err) != "PreconditionFailed" {
		t.Errorf("If-Match with a stale tag: %v", err)
	}
	edgetest.WantPage(t, h.Origin, "pointer", 200, "2")
}

// The key is free when the request comes, and taken while its body is read.
func TestS3ConditionHoldsUntilTheWrite(t *testing.T) {
	h := start(t, Options{})
	body := readerFunc(func(p []byte) (int, error) {
		mustPut(t, h, "k", "first")
		return copy(p, "second"), io.EOF
	})
	r := httptest.NewRequest("PUT", "/"+h.Bucket+"/k", body)
	r.Header.Set("If-None-Match", "*")
	r.Header.Set("Content-Length", "6")
	w := httptest.NewRecorder()
	gofakes3.New(h.bucket).Server().ServeHTTP(w, r)
	if w.Code != http.StatusPreconditionFailed {
		t.Errorf("the second writer got %d %s", w.Code, w.Body)
	}
	edgetest.WantPage(t, h.Origin, "k", 200, "first")
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestS3Delete(t *testing.T) {
	h := start(t, Options{})
	var ids []types.ObjectIdentifier
	for _, key := range []string{"a", "b & <c>", "é"} {
		mustPut(t, h, key, "x")
		ids = append(ids, types.ObjectIdentifier{Key: aws.String(key)})
	}
	ids = append(ids, types.ObjectIdentifier{Key: aws.String("never there")})
	out, err := client(h).DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: &h.Bucket, Delete: &types.Delete{Objects: ids}})
	if err != nil || len(out.Errors) != 0 {
		t.Fatal(err, out)
	}
	for _, path := range []string{"a", "b%20&%20%3Cc%3E", "%C3%A9"} {
		edgetest.WantPage(t, h.Origin, path, 404, "*")
	}
	if _, err := client(h).GetObject(t.Context(), &s3.GetObjectInput{Bucket: &h.Bucket, Key: aws.String("a")}); code(err) != "NoSuchKey" {
		t.Errorf("GET of a deleted object: %v", err)
	}
}

func TestS3Refuses(t *testing.T) {
	h := start(t, Options{})
	stranger := s3.New(s3.Options{BaseEndpoint: &h.Endpoint, Region: h.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(h.AccessKey, "wrong", "")})
	_, err := stranger.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &h.Bucket, Key: aws.String("k"), Body: strings.NewReader("x")})
	if code(err) != "SignatureDoesNotMatch" {
		t.Errorf("a wrong secret: %v", err)
	}
	res, err := http.Get(h.Endpoint + "/" + h.Bucket + "/k")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden && res.StatusCode != http.StatusBadRequest {
		t.Errorf("an unsigned request: %d", res.StatusCode)
	}
	_, err = put(t, h, "k", "x", func(in *s3.PutObjectInput) {
		in.ChecksumSHA256 = aws.String("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
	})
	if err == nil {
		t.Error("an object that is not its checksum's was stored")
	}
	if _, _, ok := h.Object("k"); ok {
		t.Error("a refused object is there")
	}
	_, err = client(h).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("other"), Key: aws.String("k"), Body: strings.NewReader("x")})
	if code(err) != "NoSuchBucket" {
		t.Errorf("another bucket: %v", err)
	}
}

func TestS3Multipart(t *testing.T) {
	h := start(t, Options{})
	key := aws.String("big.bin")
	created, err := client(h).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &h.Bucket, Key: key, ContentType: aws.String("x/y")})
	if err != nil {
		t.Fatal(err)
	}
	part := bytes.Repeat([]byte("0123456789abcdef"), 5<<16)
	var done []types.CompletedPart
	for n := int32(1); n <= 2; n++ {
		out, err := client(h).UploadPart(t.Context(), &s3.UploadPartInput{Bucket: &h.Bucket, Key: key, UploadId: created.UploadId, PartNumber: &n, Body: bytes.NewReader(part)})
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, types.CompletedPart{ETag: out.ETag, PartNumber: aws.Int32(n)})
	}
	if _, err := client(h).CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: &h.Bucket, Key: key, UploadId: created.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: done}}); err != nil {
		t.Fatal(err)
	}
	out, err := client(h).GetObject(t.Context(), &s3.GetObjectInput{Bucket: &h.Bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if got, err := io.ReadAll(out.Body); err != nil || !bytes.Equal(got, append(part, part...)) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if *out.ContentType != "x/y" {
		t.Errorf("type %q", *out.ContentType)
	}
}
