package releasedir

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"mirror/site"
	"mirror/targets"
)

// Listing is what lies in the folder of the releases, by name. One without names is of a folder that is not there.
type Listing map[string]fs.FileInfo

// Copies lists the folders of the complete copies of a release, the newest last, and the name
// for the next. What has such a name and is no folder is not ours, and is left alone.
func (l Listing) Copies(id site.ID) (names []string, free string) {
	for n := 1; ; n++ {
		name := copyName(id, n)
		info, there := l[name]
		switch {
		case !there:
			return names, name
		case info.IsDir():
			names = append(names, name)
		}
	}
}

// Newest returns the text of the link to the staged copy of a release with the highest number. The error wraps
// targets.ErrNotStaged.
func (l Listing) Newest(id site.ID) (string, error) {
	copies, _ := l.Copies(id)
	if len(copies) == 0 {
		return "", fmt.Errorf("%s: %w", id.Short(), targets.ErrNotStaged)
	}
	return Link(copies[len(copies)-1]), nil
}

// Sequence names the releases that are or were live, without their files: the live one
// first, then those that went live before, the latest first.
func (l Listing) Sequence(live site.ID) []site.Past {
	all := l.Lived(live)
	first := func(p site.Past) int {
		if p.Release == live {
			return 0
		}
		return 1
	}
	slices.SortFunc(all, func(a, b site.Past) int {
		return cmp.Or(cmp.Compare(first(a), first(b)), b.Published.Compare(a.Published), cmp.Compare(a.Release, b.Release))
	})
	return all
}

// Lived names the releases that are or were live, without their files and in no order.
func (l Listing) Lived(live site.ID) []site.Past {
	var all []site.Past
	for name, info := range l {
		name, ok := strings.CutSuffix(name, listExt)
		id, err := site.ParseID(name)
		if !ok || err != nil || !info.Mode().IsRegular() {
			continue
		}
		switch {
		case info.ModTime().After(NeverLive):
			all = append(all, site.Past{Release: id, Published: info.ModTime().UTC()})
		case id == live:
			all = append(all, site.Past{Release: id})
		}
	}
	return all
}

// WentLive returns the time to give the list of a release that goes live now: later than that of all others, also
// where another publisher's clock is ahead. now is in the precision that the file system keeps, and step is a
// difference that it keeps.
func (l Listing) WentLive(id site.ID, now time.Time, step time.Duration) time.Time {
	for _, past := range l.Lived(site.None) {
		if past.Release != id && !past.Published.Before(now) {
			now = past.Published.Add(step)
		}
	}
	return now
}

// IDs names the releases of which there is something, in the order of the names.
func (l Listing) IDs() []site.ID {
	seen := map[site.ID]bool{}
	for name := range l {
		if id := IDOfName(name); id != site.None {
			seen[id] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Copied names the folders of releases, those that are not complete among them, in the order of their names.
func (l Listing) Copied() []string {
	return l.names(func(name string, info fs.FileInfo) bool { return info.IsDir() })
}

// Partials names what is being made, or was left half done, as far as choose accepts it.
func (l Listing) Partials(choose func(name string, info fs.FileInfo) bool) []string {
	return l.names(func(name string, info fs.FileInfo) bool { return IsPartial(name) && choose(name, info) })
}

// Expired names the copies and the lists of the releases that r lets expire, in the order of their names. What the
// link names is never among them.
func (l Listing) Expired(live targets.Live, r targets.Retention, now time.Time) []string {
	var lived []site.ID
	for _, past := range l.Sequence(live.Release) {
		lived = append(lived, past.Release)
	}
	held := l.held(now)
	drop := r.Expired(held, lived)
	stays := map[site.ID]bool{}
	for _, h := range held {
		stays[h.Release] = !slices.Contains(drop, h.Release)
	}
	return l.names(func(name string, _ fs.FileInfo) bool {
		return !IsPartial(name) && !stays[IDOfName(name)] && Link(name) != live.Revision
	})
}

// held lists the releases of which there is a complete copy.
func (l Listing) held(now time.Time) (held []targets.Held) {
	youngest := map[site.ID]time.Duration{}
	for name, info := range l {
		id := IDOfName(name)
		if id == site.None || !info.IsDir() || IsPartial(name) {
			continue
		}
		age := now.Sub(info.ModTime())
		if least, seen := youngest[id]; !seen || age < least {
			youngest[id] = age
		}
	}
	for id, age := range youngest {
		held = append(held, targets.Held{Release: id, Age: age})
	}
	return held
}

// names lists what is of a release and is chosen, in the order of the names.
func (l Listing) names(choose func(name string, info fs.FileInfo) bool) []string {
	var names []string
	for name, info := range l {
		if IDOfName(name) != site.None && choose(name, info) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
