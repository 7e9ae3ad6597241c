package image

import (
	"io/fs"
	"strings"

	"mirror/site"
	"mirror/targets"
)

// Names that an image's layer gives a meaning of its own (OCI image-spec, layer.md).
const (
	whiteout       = ".wh."
	opaqueWhiteout = ".wh..wh..opq"
)

// maxComponent is the longest name of one file on Linux file systems, in bytes.
const maxComponent = 255

// maxHops bounds a chain of links, as Linux does.
const maxHops = 40

// Refuse returns a *targets.RefusedError for the first file that no image can hold.
func Refuse(rel *site.Release) error {
	for _, f := range rel.Manifest {
		if err := refusePath(f.Path); err != nil {
			return err
		}
	}
	if rel.BeaconPath == "" {
		return nil
	}
	return refusePath(rel.BeaconPath)
}

func refusePath(p string) error {
	refused := &targets.RefusedError{Path: p, Hint: "rename or exclude it"}
	switch {
	case HasWhiteout(p):
		refused.Reason = "a name that begins with .wh. deletes a file in a container image"
	case strings.ContainsRune(p, 0):
		refused.Reason = "a name with a NUL byte cannot be in a container image"
	case !fs.ValidPath(p) && strings.ToValidUTF8(p, "") == p, p == ".":
		refused.Reason = "not a clean relative path"
	case longComponent(p):
		refused.Reason = "a name of more than 255 bytes cannot be unpacked from a container image"
	default:
		return nil
	}
	return refused
}

func longComponent(p string) bool {
	for part := range strings.SplitSeq(p, "/") {
		if len(part) > maxComponent {
			return true
		}
	}
	return false
}

// HasWhiteout reports whether a component of the path is a name by which an image's layer
// deletes: no file can have it.
func HasWhiteout(p string) bool {
	return strings.HasPrefix(p, whiteout) || strings.Contains(p, "/"+whiteout)
}
