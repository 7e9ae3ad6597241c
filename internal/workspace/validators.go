package workspace

import (
	"context"

	"mirror/internal/check"
	"mirror/internal/history"
)

// rereadShare is the share of the pages that are read in full though their origins could be
// asked whether they have changed: within ten checks it is every page's turn.
const rereadShare = 0.1

// validators goes by the validators in the history. Where that cannot be read, or written, every
// page is read in full.
func (w *Workspace) validators(ctx context.Context) *check.Validators {
	return &check.Validators{
		Reread: rereadShare,
		Known: func(url string) map[string]check.Validator {
			known := map[string]check.Validator{}
			err := w.remember(ctx, func(h *history.Store) error {
				all, err := h.Validators(ctx, url)
				for _, v := range all {
					known[v.Path] = check.Validator{ETag: v.ETag, Modified: v.LastModified, Digest: v.Digest, Verified: v.Verified}
				}
				return err
			})
			if err != nil {
				w.options.Warnings.Add("every page is read in full: %v", err)
				return nil
			}
			return known
		},
		Keep: func(url string, known map[string]check.Validator) {
			var all history.Validators
			for path, v := range known {
				all = append(all, history.Validator{Path: path, Digest: v.Digest, ETag: v.ETag, LastModified: v.Modified, Verified: v.Verified})
			}
			if err := w.remember(ctx, func(h *history.Store) error { return h.SaveValidators(ctx, url, all) }); err != nil {
				w.options.Warnings.Add("the next check reads every page in full: %v", err)
			}
		},
	}
}
