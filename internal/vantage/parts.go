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

// job is a check that is dealt in parts.
type job struct {
	base  Item     // of every part
	pages []File   // that are asked for, and that the parts share
	gone  []string // removed paths, which the first part looks at
	parts int
	look  check.Options
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
		j.base.Origins = append(j.base.Origins, Origin{
			Name: at.Name, URL: at.URL.String(), Address: at.Address, CleanURLs: at.Style.CleanURLs, NoIndex: at.Style.NoIndex, CDN: at.CDN,
			Concurrency: at.Concurrency, Rate: at.Rate / float64(max(agents, 1)), Timeout: at.Timeout, Confirm: at.Confirm,
		})
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
	return j
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
		for _, near := range nearBy(gone) {
			add(near)
		}
		j.addFolder(gone, known, &item)
	}
	slices.SortFunc(item.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return item
}

// nearBy lists the paths that servers may answer in place of a removed one.
func nearBy(gone string) []string {
	bare := strings.TrimSuffix(strings.TrimSuffix(gone, "index.html"), "/")
	bare = strings.TrimSuffix(bare, ".html")
	return []string{bare, bare + ".html", path.Join(bare, "index.html"), "index.html"}
}

// addFolder adds a file of the folder that a removed path was the page of: servers refuse to list it then.
func (j *job) addFolder(gone string, known map[string]bool, item *Item) {
	folder := strings.TrimSuffix(gone, "index.html")
	if !strings.HasSuffix(folder, "/") {
		folder += "/"
	}
	i, _ := slices.BinarySearchFunc(j.look.Manifest, folder, func(f site.File, prefix string) int { return strings.Compare(f.Path, prefix) })
	if i < len(j.look.Manifest) && strings.HasPrefix(j.look.Manifest[i].Path, folder) && !known[j.look.Manifest[i].Path] {
		known[j.look.Manifest[i].Path] = true
		item.Files = append(item.Files, fileOf(j.look.Manifest[i], true))
	}
}
