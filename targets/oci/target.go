package oci

import (
	"log/slog"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"

	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/oci/internal/image"
	"mirror/targets/oci/internal/selfbase"
)

// Target is a tag of a registry's repository. One repository holds one target: the tags
// mirror-<release id> beside the live one are its own.
//
// No registry has a compare-and-swap on tags. Commit and Rollback read the tag and write
// it right after; another publisher that writes between the two is overwritten unseen.
type Target struct {
	cfg     settings
	reg     *registry
	tag     name.Tag
	state   string // folder for caches, "" for none
	log     *slog.Logger
	self    *selfbase.Binary
	rollout *rollout
	limits  image.Limits
	keeps   targets.Keep
	stays   *grace.Policy // of earlier releases
	maxKept int64         // bytes of kept files
	staging sync.Mutex    // Debian's registry loses blobs that are uploaded twice at once
	memory  memory
	planned glance
	fresh   fresh
}
