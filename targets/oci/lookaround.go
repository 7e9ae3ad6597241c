package oci

import (
	"context"
	"fmt"

	"mirror/site"
	"mirror/targets"
)

// lookAround asks the registry.
func (t *Target) lookAround(ctx context.Context, rel *site.Release) (seen, error) {
	r, err := t.recipeFor(ctx, rel)
	if err != nil {
		return seen{}, err
	}
	live, err := t.look(ctx, t.tag)
	return seen{r, live}, err
}

// see returns what the last plan of the same release saw, once, or asks the registry. What is live may
// have changed since: a commit finds that out, and what is staged holds the release all the same.
func (t *Target) see(ctx context.Context, rel *site.Release) (seen, error) {
	t.planned.mu.Lock()
	id, now := t.planned.id, t.planned.seen
	t.planned.id = site.None
	t.planned.mu.Unlock()
	if id == rel.ID() && id != site.None {
		return now, nil
	}
	return t.lookAround(ctx, rel)
}

// recipeFor looks up what an image made now would be made from.
func (t *Target) recipeFor(ctx context.Context, rel *site.Release) (recipe, error) {
	r := recipe{
		Format: 1, WebRoot: t.cfg.webRoot, Beacon: rel.BeaconPath, Sums: rel.PublishManifest, Compression: t.cfg.compression.Name, Tags: t.cfg.tags, Compress: t.cfg.compress,
		Self: map[string]string{},
	}
	for _, p := range t.cfg.platforms {
		r.Platforms = append(r.Platforms, p.String())
	}
	if t.cfg.bare {
		r.Base = baseNone
		return r, nil
	}
	if t.cfg.base == nil {
		return r, t.selfIdentities(r.Self)
	}
	digest, err := t.reg.digest(ctx, t.cfg.base)
	if err != nil {
		return r, fmt.Errorf("base: %w", err)
	}
	if digest == "" {
		return r, &targets.RefusedError{
			Reason: fmt.Sprintf("the registry has no base image %s", t.cfg.base), Hint: "correct base, or use self or none",
		}
	}
	r.Base = digest
	return r, nil
}

func (t *Target) selfIdentities(byPlatform map[string]string) error {
	for _, p := range t.cfg.platforms {
		digest, err := t.self.Digest(p)
		if err != nil {
			return err
		}
		byPlatform[p.String()] = digest
	}
	return nil
}
