package oci

import (
	"context"
	"encoding/json"
	"slices"

	"mirror/site"
)

// foreign lists what the tag would no longer name although no publish put it there: the files
// below the web root that the release lacks or, where there are none at all, the image itself,
// which is no site's. The image stays in the registry under its digest until that collects it.
func (t *Target) foreign(ctx context.Context, h *head, held site.Manifest, deleted []string) []string {
	if h == nil || h.labels != nil || len(deleted) == 0 && len(held) > 0 {
		return nil
	}
	if t.hasReleases(ctx, h) {
		return nil
	}
	if len(deleted) == 0 {
		return []string{t.tag.Context().Digest(h.digest()).String()}
	}
	return deleted
}

// hasReleases reports whether the repository holds a record of a release: the image was built on
// one of ours, or releases are staged beside it, since one repository holds one target.
func (t *Target) hasReleases(ctx context.Context, h *head) bool {
	var m struct{ Annotations map[string]string }
	if json.Unmarshal(h.desc.Manifest, &m) == nil && m.Annotations[labelRelease] != "" {
		return true
	}
	if img, err := t.platformImage(ctx, h.desc); err == nil && img != nil {
		if cf, err := configFile(img); err == nil && cf.Config.Labels[labelRelease] != "" {
			return true
		}
	}
	tags, err := t.reg.tags(ctx, t.tag.Context())
	if err != nil {
		t.log.Warn("the repository's tags cannot be listed", "err", err)
	}
	return slices.ContainsFunc(tags, func(tag string) bool { _, ours := stagedRelease(tag); return ours })
}
