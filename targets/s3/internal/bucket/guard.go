package bucket

import (
	"context"

	"github.com/aws/smithy-go/middleware"
)

// guard returns when a request may be sent, or says why it must not be.
type guard func(ctx context.Context) error

type guardKey struct{}

// WithGuard has every request with the context, and each attempt at it, ask g first; nil for
// none.
func WithGuard(ctx context.Context, g guard) context.Context {
	return context.WithValue(ctx, guardKey{}, g)
}

// UnderGuard is the middleware that asks. A process that was stopped for longer than its lease
// so writes nothing before it has looked.
func UnderGuard(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("MirrorGuard",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if g, _ := ctx.Value(guardKey{}).(guard); g != nil {
				if err := g(ctx); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
			}
			return next.HandleFinalize(ctx, in)
		}), "Retry", middleware.After)
}
