package bucket

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/sync/errgroup"

	"mirror/targets/s3/internal/provider"
)

// maxBatch is the most that one DeleteObjects request takes.
const maxBatch = 1000

// Remove deletes objects. Those that do not exist are no error.
func (b *Bucket) Remove(ctx context.Context, paths []string) error {
	for batch := range slices.Chunk(paths, maxBatch) {
		if len(batch) == 1 {
			if err := b.RemoveOne(ctx, batch[0]); err != nil {
				return err
			}
			continue
		}
		err := b.Service.try(provider.BulkDelete, func(with bool) error {
			if with {
				return b.removeBatch(ctx, batch)
			}
			return b.removeEach(ctx, batch)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Bucket) removeBatch(ctx context.Context, paths []string) error {
	in := &s3.DeleteObjectsInput{Bucket: &b.name, Delete: &types.Delete{Quiet: aws.Bool(true)}}
	for _, path := range paths {
		in.Delete.Objects = append(in.Delete.Objects, types.ObjectIdentifier{Key: b.key(path)})
	}
	// Every service takes Content-MD5, and many refuse the checksums that the SDK sends by itself.
	out, err := b.api.DeleteObjects(ctx, in, s3.WithAPIOptions(smithyhttp.AddContentChecksumMiddleware, withoutChecksums))
	if err != nil {
		return failed("delete", fmt.Sprintf("%d objects", len(paths)), err)
	}
	for _, e := range out.Errors {
		if aws.ToString(e.Code) != "NoSuchKey" {
			return fmt.Errorf("delete %q: %s: %s", aws.ToString(e.Key), aws.ToString(e.Code), aws.ToString(e.Message))
		}
	}
	return nil
}

func (b *Bucket) removeEach(ctx context.Context, paths []string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(b.Limit)
	for _, path := range paths {
		g.Go(func() error { return b.RemoveOne(ctx, path) })
	}
	return g.Wait()
}

// RemoveOne deletes an object. One that does not exist is no error.
func (b *Bucket) RemoveOne(ctx context.Context, path string) error {
	_, err := b.api.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: b.key(path)})
	if err != nil && !IsMissing(err) {
		return failed("delete", path, err)
	}
	return nil
}
