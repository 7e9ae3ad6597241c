package bucket

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // Content-MD5 is what services without SHA-256 verify
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/encoding/httpbinding"

	"mirror/internal/stall"
	"mirror/site"
	"mirror/targets/s3/internal/provider"
)

// errNotSent ends the request from which a direct learns.
var errNotSent = errors.New("the request is a template and is not sent")

// template is an HTTP client that keeps the request.
type template struct{ request *http.Request }

// Do keeps the request and sends nothing.
func (t *template) Do(r *http.Request) (*http.Response, error) {
	t.request = r
	return nil, errNotSent
}

const templateKey = "mirror-template"

// learnDirect has the SDK build a request for the bucket.
func (b *Bucket) learnDirect(ctx context.Context) {
	d := &b.direct
	options := b.api.Options()
	options.ExpressCredentials = nil // New ties them to its own client, while others use them
	t := &template{}
	api := s3.New(options, func(o *s3.Options) { o.HTTPClient, o.Retryer = t, aws.NopRetryer{} })
	_, _ = api.PutObject(WithGuard(ctx, nil), &s3.PutObjectInput{Bucket: &b.name, Key: aws.String(templateKey)}) // it always fails
	if t.request == nil {
		return
	}
	u := *t.request.URL
	path, ok := strings.CutSuffix(u.Path, templateKey)
	region, signed := signedFor(t.request.Header.Get("Authorization"))
	if !ok || !signed || u.RawPath != "" && u.RawPath != u.Path || u.RawQuery != "" && u.RawQuery != "x-id=PutObject" || options.Credentials == nil || t.request.Header.Get("X-Amz-S3session-Token") != "" {
		return
	}
	u.Path, u.RawPath, u.RawQuery = path, "", ""
	d.base, d.region, d.agent = u, region, t.request.Header.Get("User-Agent")
	d.signer = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	d.client, d.keys, d.usable = options.HTTPClient, options.Credentials, true
}

// signedFor is the region of a signature, and whether it is one of the usual kind.
func signedFor(authorization string) (region string, ok bool) {
	rest, ok := strings.CutPrefix(authorization, "AWS4-HMAC-SHA256 Credential=")
	scope := strings.Split(strings.SplitN(rest, ",", 2)[0], "/")
	if n := len(scope); ok && n >= 5 && scope[n-1] == "aws4_request" && scope[n-2] == "s3" {
		return scope[n-3], true
	}
	return "", false
}

// putDirect sends an object and returns its receipt. done is false where the SDK has to send it.
func (b *Bucket) putDirect(ctx context.Context, path string, data []byte, digest site.Digest, a Attributes) (made Receipt, done bool, err error) {
	d := &b.direct
	if d.once.Do(func() { b.learnDirect(ctx) }); !d.usable {
		return Receipt{}, false, nil
	}
	if g, _ := ctx.Value(guardKey{}).(guard); g != nil {
		if err := g(ctx); err != nil {
			return Receipt{}, true, err
		}
	}
	request, err := b.directRequest(ctx, path, data, digest, a)
	if err != nil {
		return Receipt{}, false, nil //nolint:nilerr // the SDK finds out the same and tells it
	}
	resp, err := d.client.Do(request)
	if err != nil {
		stalled := (*stall.Error)(nil)
		return Receipt{}, ctx.Err() != nil || errors.As(err, &stalled), err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	if gone := resp.Body.Close(); err == nil {
		err = gone
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		return Receipt{}, false, nil //nolint:nilerr // as above
	}
	at, _ := http.ParseTime(resp.Header.Get("Date")) // zero where there is none
	return Receipt{ETag: resp.Header.Get("Etag"), At: at.UTC()}, true, nil
}

// maxAnswer bounds the answer to a PutObject that is read, in bytes.
const maxAnswer = 64 << 10

func (b *Bucket) directRequest(ctx context.Context, path string, data []byte, digest site.Digest, a Attributes) (*http.Request, error) {
	d := &b.direct
	keys, err := d.keys.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	u := d.base
	u.Path += b.Prefix + path
	u.RawPath = d.base.Path + httpbinding.EscapePath(b.Prefix+path, false)
	r := (&http.Request{
		Method: http.MethodPut, URL: &u, Host: u.Host, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody, ContentLength: int64(len(data)),
	}).WithContext(ctx)
	if len(data) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(data))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	}
	b.directHeaders(r.Header, data, digest, a)
	hash := hex.EncodeToString(digest[:])
	r.Header["X-Amz-Content-Sha256"] = []string{hash}
	return r, d.signer.SignHTTP(ctx, keys, r, hash, "s3", d.region, time.Now())
}

func (b *Bucket) directHeaders(h http.Header, data []byte, digest site.Digest, a Attributes) {
	set := func(name, value string) {
		if value != "" {
			h[name] = []string{value}
		}
	}
	set("User-Agent", b.direct.agent)
	if b.Service.Lacks(provider.Checksums) {
		sum := md5.Sum(data) //nolint:gosec // no secret
		set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	} else {
		set("X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(digest[:]))
	}
	if a.Headers != nil {
		set("Content-Type", a.Headers.Type)
		set("Cache-Control", a.Headers.Cache)
		set("Content-Encoding", a.Headers.Encoding)
		set("X-Amz-Website-Redirect-Location", a.Headers.Redirect)
	}
	set("X-Amz-Storage-Class", a.Class)
	set("X-Amz-Server-Side-Encryption", string(b.sse))
	set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", b.sseKey)
	set("X-Amz-Acl", a.ACL.Canned)
	set("X-Amz-Grant-Full-Control", a.ACL.FullControl)
	set("X-Amz-Grant-Read", a.ACL.Read)
	set("X-Amz-Grant-Read-Acp", a.ACL.ReadACP)
	set("X-Amz-Grant-Write-Acp", a.ACL.WriteACP)
}
