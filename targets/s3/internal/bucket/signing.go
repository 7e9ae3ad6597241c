package bucket

import (
	"context"
	"strings"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// acceptEncoding is sent and never signed: the front ends of some services rewrite it (Google's
// do), and so may any proxy.
const acceptEncoding = "Accept-Encoding"

// PlainRequests is the middleware that leaves out of a request what compatible services stumble
// over: the query x-id, which only tells AWS the operation's name, and a signature that covers
// Accept-Encoding.
func PlainRequests(stack *middleware.Stack) error {
	err := stack.Build.Add(middleware.BuildMiddlewareFunc("MirrorWithoutOperationName",
		func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
			if r, ok := in.Request.(*smithyhttp.Request); ok {
				query := r.URL.Query()
				query.Del("x-id")
				r.URL.RawQuery = query.Encode()
			}
			return next.HandleBuild(ctx, in)
		}), middleware.After)
	if err != nil {
		return err
	}
	if err := stack.Finalize.Insert(finalizer("MirrorBeforeSigning", hideEncoding), "Signing", middleware.Before); err != nil {
		return err
	}
	return stack.Finalize.Insert(finalizer("MirrorAfterSigning", showEncoding), "Signing", middleware.After)
}

// encodingKey is where a request's context carries Accept-Encoding past the signature.
type encodingKey struct{}

func hideEncoding(ctx context.Context, r *smithyhttp.Request) context.Context {
	value := r.Header.Get(acceptEncoding)
	r.Header.Del(acceptEncoding)
	return middleware.WithStackValue(ctx, encodingKey{}, value)
}

func showEncoding(ctx context.Context, r *smithyhttp.Request) context.Context {
	if value, _ := middleware.GetStackValue(ctx, encodingKey{}).(string); value != "" {
		r.Header.Set(acceptEncoding, value)
	}
	return ctx
}

// withoutChecksums removes the checksums that the SDK adds by itself, from a request that has
// Content-MD5: some services refuse them.
func withoutChecksums(stack *middleware.Stack) error {
	return stack.Finalize.Insert(finalizer("MirrorWithoutChecksums", func(ctx context.Context, r *smithyhttp.Request) context.Context {
		for name := range r.Header {
			if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-checksum-") || lower == "x-amz-sdk-checksum-algorithm" {
				r.Header.Del(name)
			}
		}
		return ctx
	}), "Signing", middleware.Before)
}

// finalizer is a middleware that changes a request on its way.
func finalizer(id string, change func(context.Context, *smithyhttp.Request) context.Context) middleware.FinalizeMiddleware {
	return middleware.FinalizeMiddlewareFunc(id,
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if r, ok := in.Request.(*smithyhttp.Request); ok {
				ctx = change(ctx, r)
			}
			return next.HandleFinalize(ctx, in)
		})
}
