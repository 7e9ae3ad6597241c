package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"mirror/site"
	"mirror/targets/s3/internal/provider"
)

const inMemory = 1 << 20 // files up to this size are read, and checked, before they are sent

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
	if c == (Condition{}) {
		made, err := b.PutAs(ctx, path, data, Attributes{Headers: &h})
		return made.ETag, err
	}
	in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(path), Body: bytes.NewReader(data)}
	c.apply(in)
	h.apply(in)
	made, err := b.put(ctx, path, in, sha256.Sum256(data))
	return made.ETag, err
}

// PutAs writes a small object with the attributes.
func (b *Bucket) PutAs(ctx context.Context, path string, data []byte, a Attributes) (made Receipt, err error) {
	digest := site.Digest(sha256.Sum256(data))
	err = b.withACL(a, func(acl ACL) error {
		a.ACL = acl
		done := false
		if made, done, err = b.putDirect(ctx, path, data, digest, a); done {
			if err != nil {
				return failed("write", path, err)
			}
			return nil
		}
		in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(path), Body: bytes.NewReader(data), StorageClass: types.StorageClass(a.Class)}
		if a.Headers != nil {
			a.Headers.apply(in)
		}
		acl.applyToPut(in)
		made, err = b.put(ctx, path, in, digest)
		return err
	})
	return made, err
}

// put sends an object whose digest is known, which the service is told in a way that it knows, and
// returns the receipt. The body can be read twice.
func (b *Bucket) put(ctx context.Context, path string, in *s3.PutObjectInput, d site.Digest) (made Receipt, err error) {
	in.ServerSideEncryption, in.SSEKMSKeyId = b.sse, optional(b.sseKey)
	body := in.Body.(io.ReadSeeker)
	try := b.Service.try
	if in.IfMatch != nil || in.IfNoneMatch != nil { // a refusal would be of the condition
		try = func(f provider.Feature, request func(with bool) error) error { return request(!b.Service.Lacks(f)) }
	}
	err = try(provider.Checksums, func(with bool) error {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return err
		}
		check := signedAs(in, d)
		if !with {
			in.ChecksumSHA256 = nil
		}
		out, err := b.api.PutObject(ctx, in, check, func(o *s3.Options) {
			if !with {
				o.APIOptions = append(o.APIOptions, smithyhttp.AddContentChecksumMiddleware)
			}
		})
		if err == nil {
			made = Receipt{ETag: aws.ToString(out.ETag), At: serverTime(out.ResultMetadata)}
		}
		return err
	})
	if err != nil {
		return Receipt{}, failed("write", path, err)
	}
	return made, nil
}

// PutFile sends a file of a release. The service is told the manifest's digest, so that it
// refuses other bytes; a file that changed gives site.ErrChanged.
func (b *Bucket) PutFile(ctx context.Context, path string, rel *site.Release, f site.File, a Attributes) (made Receipt, err error) {
	if f.Size <= inMemory {
		data, err := rel.ReadFile(f)
		if err != nil {
			return Receipt{}, err
		}
		return b.PutAs(ctx, path, data, a)
	}
	if f.Size > b.InOne && b.InParts != nil {
		err := b.Service.try(provider.Checksums, func(with bool) (err error) {
			made, err = b.InParts(ctx, path, rel, f, a, with)
			return err
		})
		return made, err
	}
	body, err := rel.OpenContext(ctx, f)
	if err != nil {
		return Receipt{}, err
	}
	defer body.Close()
	watched := &watched{ReadSeeker: body}
	in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(path), Body: watched, ContentLength: &f.Size, StorageClass: types.StorageClass(a.Class)}
	a.Headers.apply(in)
	a.ACL.applyToPut(in)
	made, err = b.put(ctx, path, in, f.Digest)
	if errors.Is(watched.err, site.ErrChanged) {
		return Receipt{}, watched.err
	}
	if err != nil {
		return Receipt{}, failed("write", path, err)
	}
	return made, nil
}

// watched remembers why reading failed: the HTTP client does not always say.
type watched struct {
	io.ReadSeeker
	err error
}

// Read keeps the error of reading.
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
	return knownPayload(d)
}

// knownPayload is the payload hash of a request's signature.
func knownPayload(d site.Digest) func(*s3.Options) {
	return s3.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("KnownPayloadHash",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(v4.SetPayloadHash(ctx, hex.EncodeToString(d[:])), in)
			}), middleware.After)
	})
}
