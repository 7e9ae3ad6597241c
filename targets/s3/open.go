package s3

import (
	"context"

	"mirror/targets"
)

// New is the factory of this kind of target.
func New(ctx context.Context, env targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	if c.Layout == layoutPointer {
		return OpenPointed(ctx, env, c)
	}
	return Open(ctx, env, c)
}

// OpenPointed is Open for the layout pointer.
func OpenPointed(ctx context.Context, env targets.Env, c Config) (Pointed, error) {
	t, err := Open(ctx, env, c)
	return Pointed{t}, err
}
