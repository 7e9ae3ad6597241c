package git

import (
	"context"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/wire"
)

var _ targets.PurgedLister = (*Target)(nil)

// Purged lists the releases whose commits Erase took away, as the last commit of ours says, but those that were published again.
func (t *Target) Purged(ctx context.Context, past []site.Past) (gone targets.Purged, err error) {
	defer t.redact(&err)
	s, head, err := t.openHead(ctx, wire.UploadPack)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	said, err := t.ours(ctx, head)
	gone = said.Purged
	for _, p := range past {
		gone = gone.Without(p.Release)
	}
	return gone, err
}
