package git

import (
	"github.com/go-git/go-git/v5/plumbing"

	"mirror/site"
	"mirror/targets/git/internal/objects"
)

// shipment is a release on its way to the remote.
type shipment struct {
	rel    site.ID
	ref    plumbing.ReferenceName // where it is staged, "" if it is not
	before objects.Commit         // what is staged there
	live   *objects.Snapshot
	want   *layout
}
