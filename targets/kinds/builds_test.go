package kinds_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"

	"mirror/targets/targettest"
)

// builds are the builds of a site, in order.
type builds struct {
	assets [][]string          // paths by build; the lazy one last
	files  []map[string]string // texts by build and path
}

// assetsPerRelease are two eager assets, and one that is lazy.
const assetsPerRelease = 3

// bundle makes a site as a bundler would, with a build's own bytes in every asset.
func bundle(names string, build int, seed uint64) (targettest.Files, []string) {
	files := targettest.Files{"index.html": fmt.Sprint("page of build ", build)}
	var assets []string
	for i, name := range []string{"assets/index", "assets/style", "assets/lazy/chunk"} {
		ext := []string{".js", ".css", ".js"}[i]
		content := fmt.Sprintf("%s of build %d of %d", name, build, seed)
		if names == "hashed" {
			sum := sha256.Sum256([]byte(content))
			name += "-" + base64.RawURLEncoding.EncodeToString(sum[:6])
		}
		files[name+ext] = content
		assets = append(assets, name+ext)
	}
	return files, assets
}

// add makes the next build, and returns its files.
func (b *builds) add(names string, seed uint64) targettest.Files {
	files, assets := bundle(names, len(b.files), seed)
	b.assets, b.files = append(b.assets, assets), append(b.files, files)
	return files
}

// paths are those of the assets of all builds.
func (b *builds) paths() []string {
	all := slices.Concat(b.assets...)
	slices.Sort(all)
	return slices.Compact(all)
}

// of is the build of a page.
func (b *builds) of(page string) (build int, known bool) {
	build = slices.IndexFunc(b.files, func(files map[string]string) bool { return files["index.html"] == page })
	return build, build >= 0
}
