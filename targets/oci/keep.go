package oci

import (
	"mirror/site"
	"mirror/targets"
)

// refuseKept refuses to replace an image that holds kept files of which the release knows
// nothing: an image is replaced as a whole, and they would be lost.
func (t *Target) refuseKept(rel *site.Release, held site.Manifest) error {
	kept := t.keeps.Beside(rel.Manifest)
	for _, f := range held {
		if kept(f.Path) {
			return &targets.RefusedError{
				Path: f.Path, Reason: "publish.keep keeps it, and it is in the live image only, which is replaced as a whole",
				Hint: "add it to the site, or serve it from a volume and build the image without it",
			}
		}
	}
	return nil
}
