package s3

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"mirror/site"
	"mirror/targets"
)

// Where what lies; see the package comment.
const (
	ownFolder   = ".mirror"
	own         = ownFolder + "/"
	statePath   = own + "live"
	probePath   = own + "~probe" // sorts behind all else of ours; written before the state
	probeFolder = own + "try/"
	objects     = own + "objects/"
	releases    = own + "releases/"
	parts       = own + "parts/"
	changes     = own + "changes/"
	before      = own + "before/"
	records     = own + "records/"
)

// maxKey is how many bytes a key may have (S3 user guide, "Naming Amazon S3 objects").
const maxKey = 1024

// version is that of the documents.
const version = 1

func objectPath(d site.Digest) string { return objects + d.String() }

func releasePath(id site.ID) string { return releases + string(id) }

// changeFolder holds the changes that lead from a live state to a release. Each Stage
// writes its own, so that none overwrites what a commit under way goes by.
func changeFolder(s targets.Swap) string {
	sum := sha256.Sum256([]byte(s.From.Revision + "\n" + string(s.To)))
	return changes + hex.EncodeToString(sum[:16]) + "/"
}

// beforePath is where a Stage keeps the content that a key had.
func beforePath(nonce, path string) string {
	sum := sha256.Sum256([]byte(path))
	return before + nonce + "/" + hex.EncodeToString(sum[:16])
}

// newNonce returns a name that nobody else gives.
func newNonce() string { return rand.Text() }

// isSite reports whether a listed path is content of the site: not our own, and not the
// empty marker object that some tools write for a folder.
func isSite(path string) bool {
	return path != "" && !strings.HasPrefix(path, own) && !strings.HasSuffix(path, "/")
}
