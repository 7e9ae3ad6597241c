package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"mirror/site"
	"mirror/targets"
)

// Past lists the releases whose folders are kept, from the lists beside them: the live one
// first, then those that went live before, the latest first. What is live and was put there
// by others is read itself, the files of the paths in of only.
func (t *Target) Past(ctx context.Context, limit int, of []string) ([]site.Past, error) {
	p, err := t.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer p.Close()
	live, err := t.Live(ctx)
	if err != nil {
		return nil, err
	}
	listing, err := p.listing()
	if err != nil {
		return nil, err
	}
	all := listing.Sequence(live.Release)
	var past []site.Past
	if live.Revision != "" && (len(all) == 0 || all[0].Release != live.Release) {
		m, err := t.lookAt(ctx, of)
		if err != nil {
			return nil, err
		}
		past = append(past, site.Past{Manifest: m})
	}
	for _, one := range all {
		if len(past) >= limit || ctx.Err() != nil {
			break
		}
		if one.Manifest, err = p.readList(one.Release); err == nil {
			past = append(past, one)
		}
	}
	return past[:min(len(past), limit)], ctx.Err()
}

// lookAt lists what is live, and hashes the files that are asked for.
func (t *Target) lookAt(ctx context.Context, of []string) (site.Manifest, error) {
	root, err := t.openServed()
	if err != nil {
		return nil, fmt.Errorf("dir: past: %w", err)
	}
	defer root.Close()
	asked := make(map[string]bool, len(of))
	for _, path := range of {
		asked[path] = true
	}
	m, err := read(ctx, root, func(path string) bool { return asked[path] })
	return slices.DeleteFunc(m, func(f site.File) bool { return t.keep.Match(f.Path) }), err
}

// recorded reports whether the folder holds a record of a release that was live there: the
// link names one, a list of one is kept, or what the link leads to has a beacon.
func (t *Target) recorded(live targets.Live, beaconPath string) bool {
	if live.Release != site.None {
		return true
	}
	if p, err := t.open(false); err == nil {
		defer p.Close()
		if all, err := p.listing(); err == nil && len(all.Lived(site.None)) > 0 {
			return true
		}
	}
	return beaconPath != "" && t.hasBeacon(beaconPath)
}

func (t *Target) hasBeacon(path string) bool {
	root, err := t.openServed()
	if err != nil {
		return false
	}
	defer root.Close()
	return saysBeacon(root, path)
}
