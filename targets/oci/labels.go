package oci

import (
	"strings"

	"mirror/site"
)

const (
	labelRelease = "mirror.release"  // the release's ID, or noRelease
	labelBeacon  = "mirror.beacon"   // the beacon's path below the web root, "" for none
	labelSums    = "mirror.sums"     // the path of the release's manifest there, absent for none
	labelWebRoot = "mirror.web_root" // where the site is
	labelConfig  = "mirror.config"   // digest of all that the image was made from but the site
	// labelLayer names the last layer as the document does that bears the label: by digest in
	// a manifest, by diff ID in a config. It is the site's, or that of the kept files. An image
	// built on ours carries our labels along; its last layer is not the one named.
	labelLayer = "mirror.layer"
	labelKept  = "mirror.kept" // diff ID of the layer of kept files, absent for none
	// labelGrace lists the files of earlier releases in the layer of kept files, absent for none.
	labelGrace = "mirror.grace"
	// labelLayers and labelStored are how many layers the site is in, and how many bytes of content those
	// hold, deleted and replaced files among them. Where they are absent it is one, and the site's.
	labelLayers = "mirror.layers"
	labelStored = "mirror.stored"
	// labelSequence is the beacon's sequence; images of old versions of this program have none.
	labelSequence = "mirror.sequence"
	labelVersion  = "org.opencontainers.image.version"
)

// noRelease in labelRelease marks the empty image that stands for no image, where the
// registry will not delete a tag.
const noRelease = "none"

// stagedPrefix begins the tag under which a release is staged.
const stagedPrefix = "mirror-"

// listSuffix ends the tag under which the list of a staged release's files lies.
const listSuffix = ".files"

// stagedRelease returns the release that a tag stages.
func stagedRelease(tag string) (site.ID, bool) {
	rest, ok := strings.CutPrefix(tag, stagedPrefix)
	if !ok {
		return site.None, false
	}
	id, err := site.ParseID(rest)
	return id, err == nil && string(id) == rest
}

// listedRelease returns the release whose files a tag lists.
func listedRelease(tag string) (site.ID, bool) {
	staged, ok := strings.CutSuffix(tag, listSuffix)
	if !ok {
		return site.None, false
	}
	return stagedRelease(staged)
}
