package oci

import (
	"fmt"
	"slices"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image"
)

// maxKeptFiles bounds what is kept: it is read from the live image and put into the next one with
// each publish.
const maxKeptFiles = 10_000

// keptOf returns the files of the live image, held, that the release lacks and the config
// keeps, or refuses what cannot be put into the next image.
func (t *Target) keptOf(rel *site.Release, held site.Manifest) (site.Manifest, error) {
	beside := t.keeps.Beside(rel.Manifest)
	var kept site.Manifest
	var size int64
	for _, f := range held {
		if !beside(f.Path) || f.Path == rel.BeaconPath {
			continue
		}
		if err := image.RefuseName(f.Path); err != nil {
			return nil, err
		}
		kept = append(kept, f)
		if size += f.Size; len(kept) > maxKeptFiles || size > t.maxKept || size < 0 {
			return nil, &targets.RefusedError{
				Path: f.Path, Reason: fmt.Sprintf("publish.keep keeps more than the %d files or %d bytes that can be put into the next image", maxKeptFiles, t.maxKept),
				Hint: "serve them from a volume, and build the image without them",
			}
		}
	}
	return kept, t.keeps.Clash(rel, pathsOf(kept))
}

func pathsOf(m site.Manifest) []string {
	var paths []string
	for _, f := range m {
		paths = append(paths, f.Path)
	}
	return paths
}

// without returns the files of m that are not among those of other, by path.
func without(m, other site.Manifest) site.Manifest {
	return slices.DeleteFunc(slices.Clone(m), func(f site.File) bool { _, there := other.Find(f.Path); return there })
}

// withKept returns what an image of the release and the kept files holds.
func withKept(m, kept site.Manifest) site.Manifest {
	if len(kept) == 0 {
		return m
	}
	all := slices.Concat(m, kept)
	all.Sort()
	return all
}
