package targets

import "context"

type fenceKey struct{}

// WithFence has a commit to a place that cannot be reserved ask fence right before the request that
// makes the release live: fence says whether the places that are reserved for the same publish are
// held still. So a process that was stopped for longer than their leases changes nothing.
func WithFence(ctx context.Context, fence func(context.Context) error) context.Context {
	return context.WithValue(ctx, fenceKey{}, fence)
}

// Fence asks the context's fence, if it has one.
func Fence(ctx context.Context) error {
	if fence, ok := ctx.Value(fenceKey{}).(func(context.Context) error); ok {
		return fence(ctx)
	}
	return nil
}
