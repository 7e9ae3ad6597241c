package grace

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/site"
)

// Policy says which files of earlier releases stay served, and for how long. The zero policy keeps none.
type Policy struct {
	// Releases is for how many releases a file stays that the next one does not have: 1 keeps the files of
	// the release that was live before.
	Releases int
	// For is how long a file stays after it left the site. Where both are set a file stays while either
	// lets it stay.
	For time.Duration
	// Match lists globs of the files; none stand for names with a content hash (see Hashed).
	Match []string
	// All keeps every file but pages.
	All bool
	// Never lists paths that do not stay, whatever else matches.
	Never []string
}

// Entry is a file that is served although the live release does not have it.
type Entry struct {
	Path   string
	Size   int64       // 0 where the target does not record it
	Digest site.Digest // zero where the target does not record it
	// Left is when a release without the file went live.
	Left time.Time
	// Releases is how many releases went live since: 1 right after the first that does not have the file.
	Releases int
}

// List holds the entries in path order.
type List []Entry

// MaxEntries bounds a list. The files that left last stay.
const MaxEntries = 10_000

// On reports whether the policy keeps any file.
func (p *Policy) On() bool { return p != nil && (p.Releases > 0 || p.For > 0) }

// Stays reports whether an entry is to be served still.
func (p *Policy) Stays(e Entry, now time.Time) bool {
	return p.On() && (e.Releases <= p.Releases || now.Sub(e.Left) < p.For)
}

// Until is when the time of an entry is over, as far as it goes by time.
func (p *Policy) Until(e Entry) time.Time {
	if p == nil {
		return e.Left
	}
	return e.Left.Add(p.For)
}

// Next is the list beside the release to, which takes the place of the release from and of the list beside
// that. A file of to is never on it, nor one that would have to be a folder of one, or lie below one. skip
// names further paths that are no matter of the list. Nothing is as new as what leaves with from.
func (p *Policy) Next(beside List, from, to site.Manifest, now time.Time, skip func(path string) bool) List {
	if !p.On() {
		return nil
	}
	places := placesOf(to)
	same := len(from) == len(to) && from.ID() == to.ID()
	var next List
	add := func(e Entry) {
		if p.Stays(e, now) && !places.taken(e.Path) && !skip(e.Path) && !slices.Contains(p.Never, e.Path) {
			next = append(next, e)
		}
	}
	for _, e := range beside {
		if !same {
			e.Releases++
		}
		if _, again := from.Find(e.Path); !again {
			add(e)
		}
	}
	matches := p.Matcher(from, to)
	for _, f := range from {
		if !same && matches(f.Path) {
			add(Entry{Path: f.Path, Size: f.Size, Digest: f.Digest, Left: now, Releases: 1})
		}
	}
	return next.Sorted(MaxEntries)
}

// Current is the part of a list that is to be served still.
func (p *Policy) Current(l List, now time.Time) List {
	return slices.DeleteFunc(slices.Clone(l), func(e Entry) bool { return !p.Stays(e, now) })
}

// Matcher tells which files of a release stay when they leave the site. More releases of the site tell more of its names.
func (p *Policy) Matcher(releases ...site.Manifest) func(path string) bool {
	switch {
	case p.All:
		return func(path string) bool { return !site.IsPage(path) }
	case len(p.Match) > 0:
		return func(path string) bool {
			return slices.ContainsFunc(p.Match, func(glob string) bool { return doublestar.MatchUnvalidated(glob, path) })
		}
	}
	return In(releases...)
}

// Sorted sorts the list by path and drops what left first beyond most entries.
func (l List) Sorted(most int) List {
	if len(l) > most {
		slices.SortFunc(l, func(a, b Entry) int { return cmp.Or(b.Left.Compare(a.Left), strings.Compare(a.Path, b.Path)) })
		l = l[:most]
	}
	slices.SortFunc(l, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(l, func(a, b Entry) bool { return a.Path == b.Path })
}

// Find returns the entry of a path.
func (l List) Find(path string) (Entry, bool) {
	i, ok := slices.BinarySearchFunc(l, path, func(e Entry, path string) int { return strings.Compare(e.Path, path) })
	if !ok {
		return Entry{}, false
	}
	return l[i], true
}

// Has reports whether a path is on the list.
func (l List) Has(path string) bool {
	_, ok := l.Find(path)
	return ok
}

// Paths lists the entries' paths.
func (l List) Paths() []string {
	var paths []string
	for _, e := range l {
		paths = append(paths, e.Path)
	}
	return paths
}

// Bytes is the size of all files on the list.
func (l List) Bytes() int64 {
	var n int64
	for _, e := range l {
		n += e.Size
	}
	return n
}

// Without is the list without some paths.
func (l List) Without(gone func(path string) bool) List {
	return slices.DeleteFunc(slices.Clone(l), func(e Entry) bool { return gone(e.Path) })
}

// places are the files of a release and the folders around them.
type places struct {
	manifest site.Manifest
	folders  map[string]bool
}

func placesOf(m site.Manifest) places {
	p := places{m, map[string]bool{}}
	for _, f := range m {
		for i := strings.LastIndexByte(f.Path, '/'); i > 0 && !p.folders[f.Path[:i]]; i = strings.LastIndexByte(f.Path[:i], '/') {
			p.folders[f.Path[:i]] = true
		}
	}
	return p
}

// taken reports whether a file cannot lie at a path beside the release.
func (p places) taken(path string) bool {
	if _, own := p.manifest.Find(path); own || p.folders[path] {
		return true
	}
	for i := range len(path) {
		if path[i] != '/' {
			continue
		}
		if _, file := p.manifest.Find(path[:i]); file {
			return true
		}
	}
	return false
}
