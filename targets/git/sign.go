package git

import (
	"context"

	"mirror/targets/git/internal/objects"
)

func (t *Target) signed(ctx context.Context, c objects.Commit) (objects.Commit, error) {
	if t.key == nil {
		return c, nil
	}
	signature, err := t.key.Sign(ctx, c.Raw)
	if err != nil {
		return objects.Commit{}, err
	}
	return c.WithSignature(signature), nil
}
