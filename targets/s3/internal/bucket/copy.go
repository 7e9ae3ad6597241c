package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"mirror/site"
	"mirror/targets/s3/internal/provider"
)

// Copy copies from one path to another on the service. With headers nil the source's own
// metadata goes along. match, if set, is the ETag that the source must have.
func (b *Bucket) Copy(ctx context.Context, from, to string, h *Headers, match string) (Receipt, error) {
	return b.CopyAs(ctx, from, to, Attributes{Headers: h}, match)
}

// CopyAs is Copy with more than headers. Where the service has no copies, the object is read and
// written again.
func (b *Bucket) CopyAs(ctx context.Context, from, to string, a Attributes, match string) (made Receipt, err error) {
	err = b.withACL(a, func(acl ACL) error {
		a.ACL = acl
		return b.Service.try(provider.Copy, func(with bool) (err error) {
			if with {
				made, err = b.copyThere(ctx, from, to, a, match)
			} else {
				made, err = b.copyThrough(ctx, from, to, a, match)
			}
			return err
		})
	})
	if err != nil {
		return Receipt{}, failed("copy to", to, err)
	}
	return made, nil
}

// copyThere has the service make the copy.
func (b *Bucket) copyThere(ctx context.Context, from, to string, a Attributes, match string) (Receipt, error) {
	in := &s3.CopyObjectInput{
		Bucket: &b.name, Key: b.key(to), CopySource: aws.String(b.name + "/" + escapeKey(b.Prefix+from)),
		MetadataDirective: types.MetadataDirectiveCopy, StorageClass: types.StorageClass(a.Class),
		ServerSideEncryption: b.sse, SSEKMSKeyId: optional(b.sseKey), CopySourceIfMatch: optional(match),
	}
	if h := a.Headers; h != nil {
		in.MetadataDirective = types.MetadataDirectiveReplace
		in.ContentType, in.CacheControl, in.ContentEncoding = optional(h.Type), optional(h.Cache), optional(h.Encoding)
		in.WebsiteRedirectLocation = optional(h.Redirect)
	}
	a.ACL.applyToCopy(in)
	out, err := b.api.CopyObject(ctx, in)
	if err != nil || out.CopyObjectResult == nil {
		return Receipt{}, err
	}
	return Receipt{ETag: aws.ToString(out.CopyObjectResult.ETag), At: aws.ToTime(out.CopyObjectResult.LastModified).UTC()}, nil
}

// copyThrough reads the source and writes it to the other path.
func (b *Bucket) copyThrough(ctx context.Context, from, to string, a Attributes, match string) (Receipt, error) {
	out, err := b.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: b.key(from)})
	if err != nil {
		return Receipt{}, err
	}
	defer out.Body.Close()
	if match != "" && aws.ToString(out.ETag) != match {
		return Receipt{}, fmt.Errorf("%q changed while it was copied", from)
	}
	body, d, err := held(out.Body, aws.ToInt64(out.ContentLength))
	if err != nil {
		return Receipt{}, fmt.Errorf("read %q: %w", from, err)
	}
	defer body.Close()
	in := &s3.PutObjectInput{
		Bucket: &b.name, Key: b.key(to), Body: body, ContentLength: out.ContentLength, StorageClass: types.StorageClass(a.Class),
		ContentType: out.ContentType, CacheControl: out.CacheControl, ContentEncoding: out.ContentEncoding,
		ContentDisposition: out.ContentDisposition, ContentLanguage: out.ContentLanguage, WebsiteRedirectLocation: out.WebsiteRedirectLocation, Metadata: out.Metadata,
	}
	if expires, err := http.ParseTime(aws.ToString(out.ExpiresString)); err == nil {
		in.Expires = &expires
	}
	if h := a.Headers; h != nil {
		in.ContentDisposition, in.ContentLanguage, in.WebsiteRedirectLocation, in.Expires, in.Metadata = nil, nil, nil, nil, nil
		h.apply(in)
	}
	a.ACL.applyToPut(in)
	return b.put(ctx, to, in, d)
}

// held reads a body of a known length to the end: into memory or, where it is large, into a
// temporary file that is gone when the reader is closed.
func held(body io.Reader, size int64) (io.ReadSeekCloser, site.Digest, error) {
	h := sha256.New()
	body = io.TeeReader(io.LimitReader(body, size+1), h)
	if size <= inMemory {
		data, err := io.ReadAll(body)
		if err == nil && int64(len(data)) != size {
			err = io.ErrUnexpectedEOF
		}
		return memory{bytes.NewReader(data)}, site.Digest(h.Sum(nil)), err
	}
	file, err := os.CreateTemp("", "mirror-copy-*")
	if err != nil {
		return nil, site.Digest{}, err
	}
	spool := temporary{file}
	n, err := io.Copy(file, body)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, site.Digest{}, errors.Join(err, spool.Close())
	}
	return spool, site.Digest(h.Sum(nil)), nil
}

type memory struct{ *bytes.Reader }

// Close has nothing to do.
func (memory) Close() error { return nil }

// temporary is a file that is removed when it is closed.
type temporary struct{ *os.File }

// Close closes the file and removes it.
func (f temporary) Close() error {
	err := f.File.Close()
	if gone := os.Remove(f.Name()); err == nil {
		err = gone
	}
	return err
}
