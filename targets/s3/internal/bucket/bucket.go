// Package bucket speaks with an S3-compatible service about one bucket, or one folder of it: it
// lists, reads, writes, copies and deletes objects, each with a condition and headers where they
// are wanted, and says what an error means. It knows nothing of releases.
package bucket

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"mirror/site"
)

// Bucket speaks with the service. Paths are relative to the prefix; nothing outside of
// the prefix is ever listed, read or written.
type Bucket struct {
	api     *s3.Client
	name    string
	sse     types.ServerSideEncryption
	sseKey  string
	direct  direct
	Service *Service
	Prefix  string // "" or ending in a slash
	Limit   int    // requests at once
	Page    int32  // keys asked for in one listing request
	// InParts sends a file of more than InOne bytes; nil for none. With checksums the service verifies SHA-256 sums.
	InParts func(ctx context.Context, path string, rel *site.Release, f site.File, a Attributes, checksums bool) (Receipt, error)
	InOne   int64
}

// direct sends PutObject without the SDK's middleware, which costs several times what the request itself
// does. The SDK tells once where the bucket is met and how requests are signed, and its signer signs.
// What does not succeed at once is left to the SDK, which knows what to repeat and what to tell.
type direct struct {
	once   sync.Once
	usable bool
	base   url.URL // of a key with an empty name
	agent  string  // User-Agent
	region string
	signer *v4.Signer
	client s3.HTTPClient
	keys   aws.CredentialsProvider
}

// Options say which part of which bucket is spoken about, and how.
type Options struct {
	Name   string
	Prefix string // "" or ending in a slash
	Limit  int    // requests at once
	SSE    string // x-amz-server-side-encryption of all that is written; "" for the bucket's default
	SSEKey string // x-amz-server-side-encryption-aws-kms-key-id
}

// inOneUpload is the size in bytes above which files go up in parts.
const inOneUpload = 64 << 20

// New returns the part of a bucket that the options name.
func New(api *s3.Client, service *Service, o Options) *Bucket {
	return &Bucket{
		api: api, name: o.Name, sse: types.ServerSideEncryption(o.SSE), sseKey: o.SSEKey,
		Service: service, Prefix: o.Prefix, Limit: o.Limit, Page: maxPage, InOne: inOneUpload,
	}
}

func (b *Bucket) key(path string) *string { return aws.String(b.Prefix + path) }

// Object is what a listing tells of a key.
type Object struct {
	Path     string
	ETag     string // quoted, as sent; "" where the service has none
	Size     int64
	Modified time.Time // by the service's clock, to the second at worst
	Seen     time.Time // by the service's clock: when the listing was made
}

// settle is how long after a change a second one may leave the same time stamp behind.
const settle = 2 * time.Second

// Settled reports whether a later change of the object would show in its time stamp.
func Settled(modified, seen time.Time) bool { return seen.Sub(modified) > settle }

// serverTime is the service's clock when it answered. Without a Date header nothing
// counts as settled.
func serverTime(m middleware.Metadata) time.Time {
	t, _ := awsmiddleware.GetServerTime(m)
	return t.UTC()
}

// Reader is an object being read.
type Reader struct {
	io.ReadCloser
	Object
	Headers Headers
}

// Open reads an object. A missing one gives an error for which IsMissing is true.
func (b *Bucket) Open(ctx context.Context, path string) (*Reader, error) {
	out, err := b.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: b.key(path)})
	if Status(err) == http.StatusForbidden && b.isAbsent(ctx, path) {
		return nil, &Error{Op: "read", Path: path, Err: errAbsent}
	}
	if err != nil {
		return nil, failed("read", path, err)
	}
	return &Reader{
		ReadCloser: out.Body,
		Object: Object{
			Path: path, ETag: aws.ToString(out.ETag), Size: aws.ToInt64(out.ContentLength),
			Modified: aws.ToTime(out.LastModified).UTC(), Seen: serverTime(out.ResultMetadata),
		},
		Headers: Headers{
			Type: aws.ToString(out.ContentType), Cache: aws.ToString(out.CacheControl), Encoding: aws.ToString(out.ContentEncoding),
			Other:    strings.Join(present(out.ContentDisposition, out.ContentLanguage, out.ExpiresString), "\n"),
			Redirect: aws.ToString(out.WebsiteRedirectLocation),
		},
	}, nil
}

// errAbsent is for a missing object about which the service says only that access is denied.
var errAbsent = errors.New("the object does not exist")

// isAbsent finds out by a listing whether an object does not exist: S3 answers 403 for one that is
// missing where the keys may list only a part of the bucket.
func (b *Bucket) isAbsent(ctx context.Context, path string) bool {
	listed, _, err := b.ListFrom(ctx, path, "", func(string) bool { return true })
	return err == nil && !slices.ContainsFunc(listed, func(o Object) bool { return o.Path == path })
}

func present(values ...*string) []string {
	var out []string
	for _, v := range values {
		if aws.ToString(v) != "" {
			out = append(out, *v)
		}
	}
	return out
}

// MaxDocument bounds a document of our own that is read: a release of a million files
// stays below it.
const MaxDocument = 256 << 20

// Read returns all of a document of our own.
func (b *Bucket) Read(ctx context.Context, path string) (*Reader, []byte, error) {
	o, err := b.Open(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	defer o.Close()
	data, err := io.ReadAll(io.LimitReader(o, MaxDocument+1))
	if err != nil {
		return nil, nil, failed("read", path, err)
	}
	if len(data) > MaxDocument {
		return nil, nil, fmt.Errorf("read %q: larger than %d bytes: not written by mirror", path, MaxDocument)
	}
	return o, data, nil
}

// escapeKey percent-encodes a key for x-amz-copy-source, whose readers also take + for a
// space.
func escapeKey(key string) string {
	var out strings.Builder
	for i := range len(key) {
		c := key[i]
		if c == '/' || c == '-' || c == '_' || c == '.' || c == '~' ||
			'0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			out.WriteByte(c)
			continue
		}
		fmt.Fprintf(&out, "%%%02X", c)
	}
	return out.String()
}

// IsMissing reports whether an error says that an object does not exist.
func IsMissing(err error) bool {
	return errors.Is(err, errAbsent) || Status(err) == http.StatusNotFound && code(err) != "NoSuchBucket"
}

// Digest reads an object and returns the SHA-256 and the size of its content.
func (b *Bucket) Digest(ctx context.Context, path string) (site.Digest, int64, error) {
	o, err := b.Open(ctx, path)
	if err != nil {
		return site.Digest{}, 0, err
	}
	defer o.Close()
	h := sha256.New()
	n, err := io.Copy(h, o)
	if err != nil {
		return site.Digest{}, 0, fmt.Errorf("read %q: %w", path, err)
	}
	return site.Digest(h.Sum(nil)), n, nil
}

// ReadUpTo returns all of a small document of our own. More bytes than limit are an error.
func (b *Bucket) ReadUpTo(ctx context.Context, path string, limit int64) ([]byte, error) {
	o, err := b.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	data, err := io.ReadAll(io.LimitReader(o, limit+1))
	if err != nil {
		return nil, failed("read", path, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %q: larger than %d bytes: not written by mirror", path, limit)
	}
	return data, nil
}
