package redirects

import (
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Loops returns the pages that lead to each other in a circle, each circle once, as the paths From in the
// order of the visit, the first again at the end. bases are the URLs at which the site is served.
func Loops(pages map[string]Page, bases []*url.URL) (loops [][]string) {
	const begun, done = 1, 2
	state := map[string]int{}
	for _, start := range slices.Sorted(maps.Keys(pages)) {
		var way []string
		for at := start; at != ""; at = next(pages, at, bases) {
			if state[at] == begun {
				loops = append(loops, circle(pages, way[slices.Index(way, at):]))
			}
			if state[at] != 0 {
				break
			}
			state[at] = begun
			way = append(way, at)
		}
		for _, p := range way {
			state[p] = done
		}
	}
	return loops
}

func circle(pages map[string]Page, way []string) (names []string) {
	for _, p := range append(slices.Clone(way), way[0]) {
		names = append(names, pages[p].From)
	}
	return names
}

// next is the path of the page that a page leads to, "" where that is no page of a redirect.
func next(pages map[string]Page, at string, bases []*url.URL) string {
	name, ours := pathIn(pages[at].To, bases)
	if !ours {
		return ""
	}
	for _, p := range []string{name, path.Join(name, "index.html")} {
		if _, ok := pages[p]; ok && (p == name || !strings.HasSuffix(name, "index.html")) {
			return p
		}
	}
	return ""
}

// pathIn is the path in the site that a To leads to, without its slashes at both ends.
func pathIn(to string, bases []*url.URL) (name string, ours bool) {
	u, err := url.Parse(to)
	if err != nil {
		return "", false
	}
	if u.Host == "" {
		return strings.Trim(u.Path, "/"), true
	}
	for _, base := range bases {
		if rest, below := strings.CutPrefix(u.Path+"/", strings.TrimSuffix(base.Path, "/")+"/"); below && strings.EqualFold(u.Host, base.Host) {
			return strings.Trim(rest, "/"), true
		}
	}
	return "", false
}
