package workspace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"mirror/internal/front"
	"mirror/internal/origin"
	"mirror/site"
	"mirror/targets"
)

// frontConcurrency is how many requests at once a front sends to an origin whose config says nothing of it.
const frontConcurrency = 64

// Front opens the front over the config's origins. Close it after use.
func (w *Workspace) Front(log *slog.Logger, events func(front.Event)) (*front.Front, error) {
	c := w.Config.Front
	o := front.Options{
		Origins: w.frontOrigins(), Quorum: c.Quorum, Beacon: w.beacon(), NotFound: w.Config.Site.NotFound, Skip: w.Config.Alterable,
		Cookie: c.Cookie, Fronts: w.otherFronts(), PublishManifest: w.Config.Site.PublishManifest, Grace: w.Config.GracePolicy(), Dir: w.State.Front(), Disk: int64(c.Cache), MaxVerified: int64(c.MaxVerified), Log: log, Events: events,
	}
	for _, at := range o.Origins {
		o.CleanURLs = o.CleanURLs || at.Style.CleanURLs
	}
	if err := w.validateFront(o); err != nil {
		return nil, usage(err)
	}
	var err error
	if o.Header, err = w.pageHeaders(); err != nil {
		return nil, usage(err)
	}
	switch c.Trust {
	case "history":
		o.Trust = w.publishedManifest
	case "targets":
		o.Trust = w.heldManifest
	}
	return front.New(o)
}

// validateFront refuses what no front can be made of.
func (w *Workspace) validateFront(o front.Options) error {
	switch {
	case o.Beacon == "":
		return errors.New("front: site.beacon is turned off, and a front learns from it what is live")
	case o.Dir == "":
		return fmt.Errorf("front: nothing can be written to the state folder %s (hint: --state names another one)", w.State.Dir())
	case len(o.Origins) == 0:
		return errors.New("front: the config names no origin to take pages from (hint: give the targets an origin.url)")
	case o.Quorum > len(o.Origins):
		return fmt.Errorf("front.quorum: %d origins must hold a release, and the config has %d (hint: front: {quorum: %d})", o.Quorum, len(o.Origins), len(o.Origins))
	case w.Config.Front.Trust == "quorum" && o.Quorum < 2:
		return errors.New("front.quorum: 1 proves nothing with trust: quorum (hint: 2 or more)")
	}
	return nil
}

// frontOrigins lists the origins that a front takes pages from.
func (w *Workspace) frontOrigins() []origin.Endpoint {
	all := w.Origins()
	for i, o := range originsOf(w.Config) {
		if o.Concurrency == nil {
			all[i].Concurrency = frontConcurrency
		}
	}
	return slices.DeleteFunc(all, func(at origin.Endpoint) bool { return at.Front })
}

// otherFronts lists the config's origins that are fronts: this one, and those on other machines.
func (w *Workspace) otherFronts() []origin.Endpoint {
	return slices.DeleteFunc(w.Origins(), func(at origin.Endpoint) bool { return !at.Front })
}

// pageHeaders returns the headers that the config has targets send with a page: of several targets the
// first that says something.
func (w *Workspace) pageHeaders() (func(path, name string) string, error) {
	expected, err := w.headersByTarget()
	if err != nil {
		return nil, err
	}
	var all []targets.HeaderFunc
	for _, t := range w.Config.Targets {
		if header := expected[t.Name]; header != nil {
			all = append(all, header)
		}
	}
	return func(path, name string) string {
		for _, header := range all {
			if value := header(path, name); value != "" {
				return value
			}
		}
		return ""
	}, nil
}

// heldManifest returns the manifest of a release that a target holds.
func (w *Workspace) heldManifest(ctx context.Context, id site.ID) (site.Manifest, error) {
	dests, err := w.Destinations(ctx)
	errs := []error{err}
	for _, d := range dests {
		from, ok := targets.As[targets.Restorer](ctx, d.Target)
		if !ok {
			continue
		}
		held, err := from.Restore(ctx, id)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", d.Name, err))
			continue
		}
		m := held.Manifest()
		if err := held.Close(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", d.Name, err))
		}
		if m.ID() == id {
			return m, nil
		}
	}
	return nil, fmt.Errorf("no target gives its files: %w", errors.Join(errs...))
}
