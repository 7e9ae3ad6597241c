package grace

import (
	"path"

	"mirror/site"
)

// In is Hashed for the files of one release. A folder in which nearly all scripts and stylesheets have a
// hash is one that a bundler fills: there a few letters that could be a word count as a hash too.
func In(m site.Manifest) func(name string) bool {
	type count struct{ code, hashed int }
	counts := map[string]*count{}
	hashed := make(map[string]bool, len(m))
	for _, f := range m {
		hashed[f.Path] = Hashed(f.Path)
		dir, base := path.Split(f.Path)
		if _, code := assetStem(base); code {
			if counts[dir] == nil {
				counts[dir] = &count{}
			}
			counts[dir].code++
			if hashed[f.Path] {
				counts[dir].hashed++
			}
		}
	}
	return func(name string) bool {
		is, known := hashed[name]
		if !known {
			is = Hashed(name)
		}
		dir, _ := path.Split(name)
		c := counts[dir]
		return is || c != nil && c.code >= fewest && c.hashed*10 >= c.code*9 && hashedIn(name, true)
	}
}

// fewest is how many scripts and stylesheets a folder has in which their share tells something.
const fewest = 4
