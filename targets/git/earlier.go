package git

import (
	"path"
	"regexp"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/site"
	"mirror/targets/git/internal/objects"
)

// earlier finds the versions of files that the live branch has.
type earlier struct {
	live *objects.Snapshot
	next map[string]objects.Entry
	gone map[string]string // by stem: a path of live that next does not have
}

// version is the blob that live has at a path or, where a build puts a content hash into names, at one
// that differs in the hash alone and is gone. It is zero where there is none.
func (v *earlier) version(p string) plumbing.Hash {
	if e, ok := v.live.Files[p]; ok {
		return blobOf(e)
	}
	if stem := stemOf(p); stem != "" {
		return blobOf(v.live.Files[v.leaving()[stem]])
	}
	return plumbing.ZeroHash
}

func blobOf(e objects.Entry) plumbing.Hash {
	if !e.Mode.IsFile() {
		return plumbing.ZeroHash
	}
	return e.Blob
}

// leaving lists the paths that go, by their stems: of several with one stem the first one.
func (v *earlier) leaving() map[string]string {
	if v.gone != nil {
		return v.gone
	}
	v.gone = map[string]string{}
	for p := range v.live.Files {
		if _, stays := v.next[p]; stays {
			continue
		}
		stem := stemOf(p)
		if first, seen := v.gone[stem]; stem != "" && (!seen || p < first) {
			v.gone[stem] = p
		}
	}
	return v.gone
}

// maybeHash is a part of a name that may be a content hash.
var maybeHash = regexp.MustCompile(`[.-][0-9A-Za-z_-]{6,64}`)

// stemOf is a path without the content hash in its name, "" where there is none.
func stemOf(p string) string {
	if site.IsSums(p) {
		return site.SumsFolder + "*"
	}
	dir, base := path.Split(p)
	found := false
	stem := maybeHash.ReplaceAllStringFunc(base, func(part string) string {
		if !strings.ContainsAny(part, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			return part
		}
		found = true
		return "*"
	})
	if !found {
		return ""
	}
	return dir + stem
}
