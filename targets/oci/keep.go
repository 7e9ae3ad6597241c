package oci

import (
	"fmt"
	"slices"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/oci/internal/image"
)

// maxKeptFiles bounds what is kept: it is read from the live image and put into the next one with
// each publish.
const maxKeptFiles = 10_000

// staying are the files of the live image that stay beside a release.
type staying struct {
	files site.Manifest
	grace grace.List // those of earlier releases among them
}

// keptOf returns the files of the live image, held, that the release lacks and the config
// keeps, or refuses what cannot be put into the next image. Those of earlier releases stay as far as there is room.
func (t *Target) keptOf(rel *site.Release, live *head, held site.Manifest) (staying, error) {
	kept, size, err := t.keptByGlobs(rel, held)
	if err != nil {
		return staying{}, err
	}
	var l grace.List
	for _, e := range t.nextGrace(rel, live, held) {
		f, _ := held.Find(e.Path)
		if len(kept) >= maxKeptFiles || size+f.Size > t.maxKept || e.Path == rel.BeaconPath || image.RefuseName(e.Path) != nil {
			t.log.Warn("a file of an earlier release does not stay: there is no room for it, or no image can have its name", "path", e.Path)
			continue
		}
		kept, l, size = append(kept, f), append(l, e), size+f.Size
	}
	kept.Sort()
	return staying{kept, l}, nil
}

func (t *Target) keptByGlobs(rel *site.Release, held site.Manifest) (kept site.Manifest, size int64, err error) {
	beside := t.keeps.Beside(rel.Manifest)
	for _, f := range held {
		if !beside(f.Path) || f.Path == rel.BeaconPath {
			continue
		}
		if err := image.RefuseName(f.Path); err != nil {
			return nil, 0, err
		}
		kept = append(kept, f)
		if size += f.Size; len(kept) > maxKeptFiles || size > t.maxKept || size < 0 {
			return nil, 0, &targets.RefusedError{
				Path: f.Path, Reason: fmt.Sprintf("publish.keep keeps more than the %d files or %d bytes that can be put into the next image", maxKeptFiles, t.maxKept),
				Hint: "serve them from a volume, and build the image without them",
			}
		}
	}
	return kept, size, t.keeps.Clash(rel, pathsOf(kept))
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
