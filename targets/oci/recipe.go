package oci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"mirror/site"
	"mirror/targets"
)

// recipe is all that an image is made from but the site: what labelConfig is a digest of.
type recipe struct {
	Format      int               `json:"format"` // of the layer and the config, counted up when they change
	Base        string            `json:"base"`   // digest of the base, "" for self, "none" for none
	Self        map[string]string `json:"self"`   // identity of the server's files, by platform
	Platforms   []string          `json:"platforms"`
	WebRoot     string            `json:"web_root"`
	Beacon      string            `json:"beacon"`
	Compression string            `json:"compression"`
}

func (r recipe) digest() string {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // the fields are plain
	}
	d := sha256.Sum256(text)
	return hex.EncodeToString(d[:])
}

// recipeFor looks up what an image made now would be made from.
func (t *Target) recipeFor(ctx context.Context, rel *site.Release) (recipe, error) {
	r := recipe{
		Format: 1, WebRoot: t.cfg.webRoot, Beacon: rel.BeaconPath, Compression: t.cfg.compression.Name,
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
