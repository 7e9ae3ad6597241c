package bucket

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"mirror/site"
)

// Part is a part of an upload that the service has confirmed.
type Part struct {
	Number int32 // from 1 on
	Size   int64
	ETag   string // quoted, as sent: the MD5 sum, where the service does not encrypt with keys of its own
	SHA256 string // in base64; "" where the upload has no checksums
}

// MaxParts is how many parts an upload may have (S3 user guide, "Amazon S3 multipart upload limits").
const MaxParts = 10_000

// BeginParts begins the upload of an object in parts and returns its ID.
func (b *Bucket) BeginParts(ctx context.Context, path string, a Attributes, checksums bool) (id string, err error) {
	err = b.withACL(a, func(acl ACL) error {
		in := &s3.CreateMultipartUploadInput{
			Bucket: &b.name, Key: b.key(path), StorageClass: types.StorageClass(a.Class), ServerSideEncryption: b.sse, SSEKMSKeyId: optional(b.sseKey),
			ACL: types.ObjectCannedACL(acl.Canned), GrantFullControl: optional(acl.FullControl), GrantRead: optional(acl.Read),
			GrantReadACP: optional(acl.ReadACP), GrantWriteACP: optional(acl.WriteACP),
		}
		if h := a.Headers; h != nil {
			in.ContentType, in.CacheControl, in.ContentEncoding = optional(h.Type), optional(h.Cache), optional(h.Encoding)
			in.WebsiteRedirectLocation = optional(h.Redirect)
		}
		if checksums {
			in.ChecksumAlgorithm = types.ChecksumAlgorithmSha256
		}
		out, err := b.api.CreateMultipartUpload(ctx, in)
		if err == nil {
			id = aws.ToString(out.UploadId)
		}
		return err
	})
	if err != nil {
		return "", failed("begin to write", path, err)
	}
	return id, nil
}

// Parts lists what the service has of an upload. An upload that does not exist gives an error for which IsMissing is true.
func (b *Bucket) Parts(ctx context.Context, path, id string) ([]Part, error) {
	var all []Part
	in := &s3.ListPartsInput{Bucket: &b.name, Key: b.key(path), UploadId: &id}
	for range MaxParts {
		out, err := b.api.ListParts(ctx, in)
		if err != nil {
			return nil, failed("list the parts of", path, err)
		}
		for _, p := range out.Parts {
			all = append(all, Part{aws.ToInt32(p.PartNumber), aws.ToInt64(p.Size), aws.ToString(p.ETag), aws.ToString(p.ChecksumSHA256)})
		}
		if !aws.ToBool(out.IsTruncated) || aws.ToString(out.NextPartNumberMarker) == aws.ToString(in.PartNumberMarker) || len(all) > MaxParts {
			break
		}
		in.PartNumberMarker = out.NextPartNumberMarker
	}
	return all, nil
}

// PutPart sends a part, whose digest the service verifies; without checksums it verifies the MD5 sum.
func (b *Bucket) PutPart(ctx context.Context, path, id string, number int32, data []byte, d site.Digest, checksums bool) (Part, error) {
	in := &s3.UploadPartInput{
		Bucket: &b.name, Key: b.key(path), UploadId: &id, PartNumber: &number,
		Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))),
	}
	sum := base64.StdEncoding.EncodeToString(d[:])
	if checksums {
		in.ChecksumSHA256 = &sum
	}
	out, err := b.api.UploadPart(ctx, in, knownPayload(d), func(o *s3.Options) {
		if !checksums {
			o.APIOptions = append(o.APIOptions, smithyhttp.AddContentChecksumMiddleware)
		}
	})
	if err != nil {
		return Part{}, failed("write a part of", path, err)
	}
	p := Part{Number: number, Size: int64(len(data)), ETag: aws.ToString(out.ETag)}
	if checksums {
		p.SHA256 = sum
	}
	return p, nil
}

// EndParts makes an object of the parts.
func (b *Bucket) EndParts(ctx context.Context, path, id string, parts []Part, checksums bool) (Receipt, error) {
	in := &s3.CompleteMultipartUploadInput{Bucket: &b.name, Key: b.key(path), UploadId: &id, MultipartUpload: &types.CompletedMultipartUpload{}}
	size := int64(0)
	for _, p := range parts {
		done := types.CompletedPart{PartNumber: aws.Int32(p.Number), ETag: aws.String(p.ETag)}
		if checksums {
			done.ChecksumSHA256 = optional(p.SHA256)
		}
		in.MultipartUpload.Parts = append(in.MultipartUpload.Parts, done)
		size += p.Size
	}
	began := time.Now()
	out, err := b.api.CompleteMultipartUpload(ctx, in)
	if Status(err) == http.StatusNotFound {
		return b.afterLostEnd(ctx, path, size, began, err)
	}
	if err != nil {
		return Receipt{}, failed("complete", path, err)
	}
	return Receipt{ETag: aws.ToString(out.ETag), At: serverTime(out.ResultMetadata)}, nil
}

// afterLostEnd looks for the object where the service does not know the upload any more: the answer to the first attempt
// may have been lost. The receipt tells no ETag, so that the object is read where its content matters.
func (b *Bucket) afterLostEnd(ctx context.Context, path string, size int64, began time.Time, cause error) (Receipt, error) {
	listed, err := b.List(ctx, path)
	if err != nil {
		return Receipt{}, err
	}
	for _, o := range listed {
		if o.Path == path && o.Size == size && o.Modified.After(began.Add(-time.Hour)) {
			return Receipt{}, nil
		}
	}
	return Receipt{}, failed("complete", path, cause)
}

// AbortParts gives up an upload with all of its parts. One that does not exist is no error.
func (b *Bucket) AbortParts(ctx context.Context, path, id string) error {
	_, err := b.api.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.name, Key: b.key(path), UploadId: &id})
	if err != nil && !IsMissing(err) {
		return failed("give up the upload of", path, err)
	}
	return nil
}
