package targets

import "context"

// Optional is a Target whose type implements interfaces of this package that not every place of its kind
// supports: it depends on the program, or the server, behind the place.
type Optional interface {
	// Supports reports whether the place supports an interface, which is given as a nil pointer to it:
	// (*Pruner)(nil). It may ask the place; one that does not answer supports nothing.
	Supports(ctx context.Context, capability any) bool
}

// As returns a target as one of the optional interfaces of this package (Pruner, Restorer, …), and whether its place
// supports it. Use it in place of a type assertion.
func As[T any](ctx context.Context, t Target) (T, bool) {
	capable, ok := t.(T)
	if o, optional := t.(Optional); ok && optional && !o.Supports(ctx, (*T)(nil)) {
		var none T
		return none, false
	}
	return capable, ok
}
