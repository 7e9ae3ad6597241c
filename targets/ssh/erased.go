package ssh

import (
	"context"
	"path"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

// readErased reads the record.
func (t *Target) readErased(ctx context.Context) (targets.Erased, error) {
	name, err := t.at(ctx, releasedir.Erased)
	if err != nil {
		return nil, err
	}
	text, err := t.host.ReadFile(ctx, name, targets.MaxErasedBytes)
	if err != nil {
		return nil, ctx.Err()
	}
	return targets.DecodeErased(text), nil
}

func (t *Target) writeErased(ctx context.Context, gone map[site.Digest]string) error {
	if len(gone) == 0 {
		return nil
	}
	old, err := t.readErased(ctx)
	if err != nil {
		return err
	}
	folder, err := t.at(ctx)
	if err != nil {
		return err
	}
	made := releasedir.Erased + "." + t.publisher + releasedir.Partial
	if err := t.host.RemoveAll(ctx, folder, []string{made}); err != nil {
		return err
	}
	if err := t.host.WriteFile(ctx, path.Join(folder, made), old.With(gone, time.Now()).Encode(), 0o600); err != nil {
		return err
	}
	return t.host.Replace(ctx, path.Join(folder, made), path.Join(folder, releasedir.Erased))
}
