package grace

import (
	"path"
	"strings"

	"mirror/site"
)

// In is Hashed for the files of one release, and of others of the same site. A name that differs from a
// hashed one in the same folder only in what may be a hash is hashed too: assets/index-WagaCugo.js where another release
// has assets/index-B_x9-aZ1.js. A folder in which nearly all scripts and stylesheets have a hash is one that a bundler
// fills: there a few letters that could be a word count as a hash too.
func In(releases ...site.Manifest) func(name string) bool {
	e := evidence{counts: map[string]*count{}, frames: map[string]bool{}}
	for i, m := range releases {
		for _, f := range m {
			e.see(f.Path, i == 0)
		}
	}
	return e.hashed
}

// evidence is what the names of a site tell of each other.
type evidence struct {
	counts map[string]*count // by folder
	frames map[string]bool   // of hashed names: see frame
}

// count is how many scripts and stylesheets a folder has, and how many of them are hashed.
type count struct{ code, hashed int }

// see takes a name in. Those of other releases than the first do not count for their folders.
func (e evidence) see(name string, first bool) {
	hashed := Hashed(name)
	if frame := frameOf(name); hashed && frame != "" {
		e.frames[frame] = true
	}
	dir, base := path.Split(name)
	if _, code := assetStem(base); !code || !first {
		return
	}
	c := e.counts[dir]
	if c == nil {
		c = &count{}
		e.counts[dir] = c
	}
	c.code++
	if hashed {
		c.hashed++
	}
}

// fewest is how many scripts and stylesheets a folder has in which their share tells something.
const fewest = 4

func (e evidence) hashed(name string) bool {
	if Hashed(name) || e.frames[frameOf(name)] {
		return true
	}
	dir, _ := path.Split(name)
	c := e.counts[dir]
	return c != nil && c.code >= fewest && c.hashed*10 >= c.code*9 && hashedIn(name, true)
}

// frameOf is a name with a placeholder for what may be a short hash, "" where nothing may.
func frameOf(name string) string {
	dir, base := path.Split(name)
	stem, _ := assetStem(base)
	if stem == "" {
		return ""
	}
	parts := strings.Split(stem, ".")
	for i, part := range parts {
		tail := end(part)
		if tail == "" || i == 0 && tail == part || strings.ContainsFunc(tail, notBase64) {
			continue
		}
		parts[i] = strings.TrimSuffix(part, tail) + "\x00" + strings.Repeat("*", len(tail))
		return dir + strings.Join(parts, ".") + strings.TrimPrefix(base, stem)
	}
	return ""
}
