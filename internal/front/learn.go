package front

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"mirror/internal/front/upstream"
	"mirror/site"
)

var errForeignManifest = errors.New("its manifest is that of another release")

// edition returns the edition of a release that an origin claims.
func (f *Front) edition(ctx context.Context, b site.Beacon) (*edition, error) {
	if e, err := f.known.get(b.Release); e != nil || err != nil {
		return e, err
	}
	f.known.learning.Lock()
	defer f.known.learning.Unlock()
	if e, err := f.known.get(b.Release); e != nil || err != nil { // another origin claims it too
		return e, err
	}
	ctx, cancel := context.WithTimeout(ctx, trustTime)
	defer cancel()
	m, err := f.manifest(ctx, b.Release)
	switch {
	case err != nil:
	case m.ID() != b.Release:
		err = errForeignManifest
	case len(m) > f.options.MaxFiles:
		err = fmt.Errorf("it has %d files, and %d may be served", len(m), f.options.MaxFiles)
	default:
		return f.known.add(newEdition(b, m)), nil
	}
	if ctx.Err() == nil {
		f.known.refuse(b.Release, err)
	}
	return nil, err
}

// manifest looks a manifest up.
func (f *Front) manifest(ctx context.Context, id site.ID) (site.Manifest, error) {
	if f.options.Trust != nil {
		return f.options.Trust(ctx, id)
	}
	path := site.SumsPath(id)
	var errs []error
	for _, o := range append(f.claimants(id), f.fronts.Origins...) {
		text, err := o.Text(ctx, path, maxSums)
		if err == nil {
			m, err := site.ReadManifest(bytes.NewReader(text))
			if err == nil && m.ID() == id {
				return m, nil
			}
			errs = append(errs, fmt.Errorf("%s: /%s is not the manifest of the release", o.Name, path))
			continue
		}
		errs = append(errs, fmt.Errorf("%s: /%s: %w", o.Name, path, err))
	}
	return nil, fmt.Errorf("neither an origin nor a front serves its manifest (hint: with site.publish_manifest: true targets publish it with the next release): %w", errors.Join(errs...))
}

// claimants lists the origins that claim a release.
func (f *Front) claimants(id site.ID) []*upstream.Origin {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []*upstream.Origin
	for i, o := range f.origins.Origins {
		if f.views[i].beacon.Release == id {
			all = append(all, o)
		}
	}
	return all
}
