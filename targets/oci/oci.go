// Package oci publishes a site as a container image: one layer that holds the site, on a
// base that serves it, under a tag of a registry. Staging pushes the image under a tag of
// its release; committing moves the live tag to the very same manifest.
package oci

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"mirror/internal/stall"
	"mirror/targets"
	"mirror/targets/oci/internal/image"
	"mirror/targets/oci/internal/selfbase"
)

// maxKeptBytes bounds the content of kept files.
const maxKeptBytes = 1 << 30

// New opens a target from its part of the config.
func New(ctx context.Context, env targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	return Open(ctx, env, c)
}

// Open opens the target that c describes. It asks the registry nothing yet.
func Open(_ context.Context, env targets.Env, c Config) (*Target, error) {
	cfg, err := c.settings()
	if err != nil {
		return nil, err
	}
	if env.State != "" {
		if err := os.MkdirAll(env.State, 0o700); err != nil {
			return nil, fmt.Errorf("state folder: %w", err)
		}
	}
	transport := env.Transport
	if transport == nil {
		transport = tunedTransport()
	}
	transport = stall.New(transport, stall.Limit)
	reg, err := newRegistry(tellingTransport{fenced{transport}, env.Secret}, cfg.image.Context(), cfg.sources())
	if err != nil {
		return nil, err
	}
	log := env.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Target{
		cfg: cfg, reg: reg, tag: cfg.image, state: env.State, log: log,
		self:    selfbase.New(c.SelfBinary),
		rollout: newRollout(c.Rollout, cfg.image, transport, env.State, log),
		limits:  image.DefaultLimits(),
		keeps:   env.Keep,
		stays:   env.Grace,
		maxKept: maxKeptBytes,
	}, nil
}
