package bucket

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

// Condition is what must hold for a write to happen.
type Condition struct {
	IfMatch     string // the object has this ETag
	IfNoneMatch bool   // there is no object
}

func (c Condition) apply(in *s3.PutObjectInput) {
	if c.IfMatch != "" {
		in.IfMatch = &c.IfMatch
	}
	if c.IfNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
}

// Put writes a small object and returns its ETag.
func (b *Bucket) Put(ctx context.Context, path string, data []byte, h Headers, c Condition) (string, error) {
	in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(path), Body: bytes.NewReader(data)}
	c.apply(in)
	h.apply(in)
	out, err := b.api.PutObject(ctx, in, signedAs(in, sha256.Sum256(data)))
	if err != nil {
		return "", failed("write", path, err)
	}
	return aws.ToString(out.ETag), nil
}

// PutFile sends a file of a release. The service is told the manifest's digest, so that it
// refuses other bytes; a file that changed gives site.ErrChanged.
func (b *Bucket) PutFile(ctx context.Context, path string, rel *site.Release, f site.File) error {
	if f.Size <= inMemory {
		data, err := rel.ReadFile(f)
		if err != nil {
			return err
		}
		_, err = b.Put(ctx, path, data, Staged, Condition{})
		return err
	}
	body, err := rel.OpenContext(ctx, f)
	if err != nil {
		return err
	}
	defer body.Close()
	watched := &watched{ReadSeeker: body}
	if f.Size > multipart {
		err = b.putParts(ctx, path, watched)
	} else {
		in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(path), Body: watched, ContentLength: &f.Size}
		Staged.apply(in)
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
func (b *Bucket) putParts(ctx context.Context, path string, body io.Reader) error {
	parts := transfermanager.New(b.api, func(o *transfermanager.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	})
	_, err := parts.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &b.name, Key: b.key(path), Body: struct{ io.Reader }{body}, ContentType: aws.String(Staged.Type),
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

// Copied is what the service said of a copy that it made.
type Copied struct {
	etag     string
	modified time.Time
}

// IsThat reports whether a listed object is surely the copy: nothing changed it since,
// and a later change would show.
func (c Copied) IsThat(o Object) bool {
	return c.etag != "" && c.etag == o.ETag && c.modified.Unix() == o.Modified.Unix() && Settled(o.Modified, o.Seen)
}

// Copy copies from one path to another on the service. With headers nil the source's own
// metadata goes along. match, if set, is the ETag that the source must have.
func (b *Bucket) Copy(ctx context.Context, from, to string, h *Headers, match string) (Copied, error) {
	in := &s3.CopyObjectInput{
		Bucket: &b.name, Key: b.key(to), CopySource: aws.String(b.name + "/" + escapeKey(b.Prefix+from)),
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
		return Copied{}, failed("copy to", to, err)
	}
	if out.CopyObjectResult == nil {
		return Copied{}, nil
	}
	return Copied{etag: aws.ToString(out.CopyObjectResult.ETag), modified: aws.ToTime(out.CopyObjectResult.LastModified)}, nil
}
