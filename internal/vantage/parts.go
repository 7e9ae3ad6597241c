package vantage

import (
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/site"
)

// partPages is how many pages an item has: enough to keep an agent's connections busy, and few enough
// that little is lost with an agent.
const partPages = 500

// partUniques is how many requests past the caches an agent sends to an origin for one part of a check at most.
const partUniques = 4

// job is a check that is dealt in parts.
type job struct {
	base  Item     // of every part
	pages []File   // that are asked for, and that the parts share
	gone  []string // removed paths, which the first part looks at
	parts int
	look  check.Options
	// uniques are the requests past the caches of each origin that are left for the agents, and uniquesOf is how many an item gets.
	uniques, uniquesOf []int
}

// newJob makes the parts of a look. A share of the origins' rates is each agent's own.
func newJob(id string, origins []origin.Endpoint, look check.Options, limit time.Duration, agents int) *job {
	j := &job{look: look, base: Item{
		Kind: KindItem, Protocol: Protocol, Check: id, Limit: limit, Release: look.Release, Beacon: look.BeaconPath, NotFound: look.NotFound,
		OwnFiles: look.OwnFiles, Headers: look.Headers.Names, Learn: look.Learn,
	}}
	for _, r := range look.Normalize {
		rule := Rule{Match: r.Match}
		for _, expression := range r.Remove {
			rule.Remove = append(rule.Remove, expression.String())
		}
		j.base.Normalize = append(j.base.Normalize, rule)
	}
	for _, at := range origins {
		j.base.Origins = append(j.base.Origins, OriginOf(at, at.Rate/float64(max(agents, 1))))
	}
	ignored := func(path string) bool {
		return slices.ContainsFunc(look.Ignore, func(glob string) bool { return doublestar.MatchUnvalidated(glob, path) })
	}
	for _, f := range look.Manifest {
		if !ignored(f.Path) {
			j.pages = append(j.pages, fileOf(f, false))
		}
	}
	if look.Sample > 0 && look.Sample < len(j.pages) {
		rand.Shuffle(len(j.pages), func(a, b int) { j.pages[a], j.pages[b] = j.pages[b], j.pages[a] })
		j.pages = j.pages[:look.Sample]
		slices.SortFunc(j.pages, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	}
	for _, path := range look.Absent {
		if !ignored(path) {
			j.gone = append(j.gone, path)
		}
	}
	j.parts = max(1, (len(j.pages)+partPages-1)/partPages, (len(j.gone)+partPages-1)/partPages)
	for _, at := range origins {
		n := 2 * at.Uniques.Split(2) // half of the budget: this machine keeps the other one
		j.uniques = append(j.uniques, n)
		j.uniquesOf = append(j.uniquesOf, max(1, min(partUniques, n/(j.parts*max(agents, 1)))))
	}
	return j
}

// OriginOf tells an agent of an origin, with its share of the rate in requests a second.
func OriginOf(at origin.Endpoint, rate float64) Origin {
	return Origin{
		Name: at.Name, URL: at.URL.String(), Address: at.Address, CleanURLs: at.Style.CleanURLs, NoIndex: at.Style.NoIndex, CDN: at.CDN, Cache: at.Cache,
		Concurrency: at.Concurrency, Rate: rate, Timeout: at.Timeout, Confirm: at.Confirm,
	}
}

func fileOf(f site.File, known bool) File {
	return File{Path: f.Path, Digest: f.Digest, Size: f.Size, Known: known}
}

// share returns the part-th share of a list.
func share[E any](all []E, part, parts int) []E {
	return all[part*len(all)/parts : (part+1)*len(all)/parts]
}

// item is the part-th part.
func (j *job) item(part int) Item {
	item := j.base
	item.Part, item.Folders = part, part == 0
	item.Origins = slices.Clone(item.Origins)
	for i := range item.Origins { // an item that is dealt again takes more of the budget
		n := min(j.uniquesOf[i], j.uniques[i])
		item.Origins[i].Uniques, j.uniques[i] = n, j.uniques[i]-n
	}
	item.Files = slices.Clone(share(j.pages, part, j.parts))
	item.Absent = share(j.gone, part, j.parts)
	known := map[string]bool{}
	for _, f := range item.Files {
		known[f.Path] = true
	}
	add := func(path string) {
		if f, ok := j.look.Manifest.Find(path); ok && !known[path] {
			known[path] = true
			item.Files = append(item.Files, fileOf(f, true))
		}
	}
	add(item.NotFound)
	for _, gone := range item.Absent {
		for _, f := range Beside(j.look.Manifest, gone) {
			add(f.Path)
		}
	}
	slices.SortFunc(item.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return item
}

// Beside lists the files of a release that say what servers may answer for a path that is not in it: those that
// may be served in its place, and one of the folder that it was the page of, which servers refuse to list.
func Beside(m site.Manifest, gone string) (files []site.File) {
	bare := strings.TrimSuffix(strings.TrimSuffix(gone, "index.html"), "/")
	bare = strings.TrimSuffix(bare, ".html")
	for _, near := range []string{bare, bare + ".html", path.Join(bare, "index.html"), "index.html"} {
		if f, ok := m.Find(near); ok {
			files = append(files, f)
		}
	}
	folder := strings.TrimSuffix(gone, "index.html")
	if !strings.HasSuffix(folder, "/") {
		folder += "/"
	}
	i, _ := slices.BinarySearchFunc(m, folder, func(f site.File, prefix string) int { return strings.Compare(f.Path, prefix) })
	if i < len(m) && strings.HasPrefix(m[i].Path, folder) {
		files = append(files, m[i])
	}
	return files
}
