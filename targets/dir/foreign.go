package dir

import (
	"io"
	"os"
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
	if past, err := t.listed(site.None); err == nil && len(past) > 0 {
		return true
	}
	return beaconPath != "" && t.hasBeacon(beaconPath)
}

func (t *Target) hasBeacon(path string) bool {
	root, err := os.OpenRoot(filepath.Join(t.path, current))
	if err != nil {
		return false
	}
	defer root.Close()
	if info, err := root.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := root.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, site.MaxBeacon))
	if err == nil {
		_, err = site.ParseBeacon(text)
	}
	return err == nil
}
