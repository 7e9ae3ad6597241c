// Package documents reads and writes the documents that a target keeps under .mirror/ in its
// bucket: the state document with its compare-and-swap, the releases and their parts, the changes
// that commits carry out, and the records of verified objects.
package documents

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"mirror/site"
	"mirror/targets"
)

// Where what lies; see the package comment of targets/s3.
const (
	OwnFolder      = ".mirror"
	OwnPrefix      = OwnFolder + "/"
	StatePath      = OwnPrefix + "live"
	NotesPath      = OwnPrefix + "notes"
	ErasedPath     = OwnPrefix + "erased" // what was removed for good
	ProbePath      = OwnPrefix + "~probe" // sorts behind all else of ours; written before the state
	ProbeFolder    = OwnPrefix + "try/"
	objects        = OwnPrefix + "objects/"
	ReleasesFolder = OwnPrefix + "releases/"
	parts          = OwnPrefix + "parts/"
	ChangesFolder  = OwnPrefix + "changes/"
	before         = OwnPrefix + "before/"
	RecordsFolder  = OwnPrefix + "records/"
	GraceFolder    = OwnPrefix + "grace/"
	UploadsFolder  = OwnPrefix + "uploads/" // notes of large files that are sent in parts
)

// MaxKey is how many bytes a key may have (S3 user guide, "Naming Amazon S3 objects").
const MaxKey = 1024

// Version is that of the documents.
const Version = 1

// ObjectPath is where the content of a digest is staged.
func ObjectPath(d site.Digest) string { return objects + d.String() }

// ReleasePath is where the document of a release lies.
func ReleasePath(id site.ID) string { return ReleasesFolder + string(id) }

// ChangeFolder holds the changes that lead from a live state to a release. Each Stage
// writes its own, so that none overwrites what a commit under way goes by.
func ChangeFolder(s targets.Swap) string {
	sum := sha256.Sum256([]byte(s.From.Revision + "\n" + string(s.To)))
	return ChangesFolder + hex.EncodeToString(sum[:16]) + "/"
}

// BeforePath is where a Stage keeps the content that a key had.
func BeforePath(nonce, path string) string {
	sum := sha256.Sum256([]byte(path))
	return before + nonce + "/" + hex.EncodeToString(sum[:16])
}

// SplitBefore takes a path that BeforePath returned apart.
func SplitBefore(object string) (nonce, name string, ok bool) {
	rest, ok := strings.CutPrefix(object, before)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/")
}

// NewNonce returns a random name that no other caller gets.
func NewNonce() string { return rand.Text() }

// IsSite reports whether a listed path is content of the site: not our own, not the manifest of a release, and
// not the empty marker object that some tools write for a folder.
func IsSite(path string) bool {
	return path != "" && !strings.HasPrefix(path, OwnPrefix) && !site.IsSums(path) && !strings.HasSuffix(path, "/")
}
