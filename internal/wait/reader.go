package wait

import (
	"context"
	"io"
)

// Reader returns a reader of r that gives the cause of the end of ctx as its error once ctx has ended:
// what reads a large file then ends within one read.
func Reader(ctx context.Context, r io.Reader) io.Reader { return reader{ctx, r} }

type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read reads, until the context ends.
func (r reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
