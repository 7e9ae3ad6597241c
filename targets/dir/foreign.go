package dir

import (
	"path/filepath"

	"mirror/site"
	"mirror/targets"
)

// recorded reports whether the folder holds a record of a release that was live there: the
// link names one, a list of one is kept, or what the link leads to has a beacon.
func (t *Target) recorded(live targets.Live, beaconPath string) bool {
	if live.Release != site.None {
		return true
	}
	if p, err := t.open(false); err == nil {
		defer p.Close()
		if past, err := p.listed(site.None); err == nil && len(past) > 0 {
			return true
		}
	}
	return beaconPath != "" && t.hasBeacon(beaconPath)
}

func (t *Target) hasBeacon(path string) bool {
	root, err := openFolder(filepath.Join(t.path, current))
	if err != nil {
		return false
	}
	defer root.Close()
	return saysBeacon(root, path)
}
