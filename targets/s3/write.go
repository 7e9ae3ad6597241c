package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"mirror/site"
)

const (
	inMemory  = 1 << 20  // files up to this size are read, and checked, before they are sent
	multipart = 64 << 20 // larger files go up in parts
)

// condition is what must hold for a write to happen.
type condition struct {
	ifMatch     string // the object has this ETag
	ifNoneMatch bool   // there is no object
}

func (c condition) apply(in *s3.PutObjectInput) {
	if c.ifMatch != "" {
		in.IfMatch = &c.ifMatch
	}
	if c.ifNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
}

// put writes a small object and returns its ETag.
func (b *bucket) put(ctx context.Context, path string, data []byte, h headers, c condition) (string, error) {
	in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(path), Body: bytes.NewReader(data)}
	c.apply(in)
	h.apply(in)
	out, err := b.api.PutObject(ctx, in, signedAs(in, sha256.Sum256(data)))
	if err != nil {
		return "", failed("write", path, err)
	}
	return aws.ToString(out.ETag), nil
}

// putFile sends a file of a release. The service is told the manifest's digest, so that it
// refuses other bytes; a file that changed gives site.ErrChanged.
func (b *bucket) putFile(ctx context.Context, path string, rel *site.Release, f site.File) error {
	if f.Size <= inMemory {
		data, err := rel.ReadFile(f)
		if err != nil {
			return err
		}
		_, err = b.put(ctx, path, data, staged, condition{})
		return err
	}
	body, err := rel.Open(f)
	if err != nil {
		return err
	}
	defer body.Close()
	watched := &watched{ReadSeeker: body}
	if f.Size > multipart {
		err = b.putParts(ctx, path, watched)
	} else {
		in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(path), Body: watched, ContentLength: &f.Size}
		staged.apply(in)
		_, err = b.api.PutObject(ctx, in, signedAs(in, f.Digest))
	}
	if errors.Is(watched.err, site.ErrChanged) {
		return watched.err
	}
	if err != nil {
		return failed("write", path, err)
	}
	return nil
}

// putParts sends a large file in parts. The reader's own check makes the last part fail,
// and so the upload, when the bytes are not the manifest's.
func (b *bucket) putParts(ctx context.Context, path string, body io.Reader) error {
	parts := transfermanager.New(b.api, func(o *transfermanager.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	})
	_, err := parts.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &b.name, Key: b.key(path), Body: struct{ io.Reader }{body}, ContentType: aws.String(staged.Type),
	})
	return err
}

// watched remembers why reading failed: the HTTP client does not always say.
type watched struct {
	io.ReadSeeker
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadSeeker.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// signedAs gives the SDK the body's digest, which it would else read the body for: as
// checksum for the service to verify and keep, and as payload hash of the signature.
func signedAs(in *s3.PutObjectInput, d site.Digest) func(*s3.Options) {
	in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(d[:]))
	return s3.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("KnownPayloadHash",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(v4.SetPayloadHash(ctx, hex.EncodeToString(d[:])), in)
			}), middleware.After)
	})
}

// copied is what the service said of a copy that it made.
type copied struct {
	etag     string
	modified time.Time
}

// isThat reports whether a listed object is surely the copy: nothing changed it since,
// and a later change would show.
func (c copied) isThat(o object) bool {
	return c.etag != "" && c.etag == o.ETag && c.modified.Unix() == o.Modified.Unix() && settled(o.Modified, o.Seen)
}

// copy copies from one path to another on the service. With headers nil the source's own
// metadata goes along. match, if set, is the ETag that the source must have.
func (b *bucket) copy(ctx context.Context, from, to string, h *headers, match string) (copied, error) {
	in := &s3.CopyObjectInput{
		Bucket: &b.name, Key: b.key(to), CopySource: aws.String(b.name + "/" + escapeKey(b.prefix+from)),
		MetadataDirective: types.MetadataDirectiveCopy,
	}
	if h != nil {
		in.MetadataDirective = types.MetadataDirectiveReplace
		in.ContentType, in.CacheControl, in.ContentEncoding = optional(h.Type), optional(h.Cache), optional(h.Encoding)
	}
	if match != "" {
		in.CopySourceIfMatch = &match
	}
	out, err := b.api.CopyObject(ctx, in)
	if err != nil {
		return copied{}, failed("copy to", to, err)
	}
	if out.CopyObjectResult == nil {
		return copied{}, nil
	}
	return copied{etag: aws.ToString(out.CopyObjectResult.ETag), modified: aws.ToTime(out.CopyObjectResult.LastModified)}, nil
}
