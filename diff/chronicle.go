package diff

import (
	"fmt"
	"slices"

	"mirror/site"
)

// Chronicle is the sequence of releases that one release is a part of. It names what an
// origin serves of another one.
type Chronicle struct {
	newer, older []site.Past // than the release; both with the nearest first
}

// NewChronicle places a release in what is known of the past, newest first. A release that
// is not among it is taken for the newest. What was live and is no release of ours names
// nothing: it may have been tampered with.
func NewChronicle(release site.ID, past []site.Past) Chronicle {
	past = slices.DeleteFunc(slices.Clone(past), func(p site.Past) bool { return p.Release == site.None })
	at := slices.IndexFunc(past, func(p site.Past) bool { return p.Release == release })
	if at < 0 {
		return Chronicle{older: past}
	}
	c := Chronicle{newer: past[:at], older: past[at+1:]}
	slices.Reverse(c.newer)
	c.older = slices.DeleteFunc(c.older, func(p site.Past) bool { return p.Release == release })
	return c
}

// Sequence joins what two remember of the past, the newest first. Of a release that both know, or that
// came twice, the last time counts: it may have gone live again without the first. What the first says
// of its files stays.
func Sequence(first, second []site.Past) []site.Past {
	known := map[site.ID]int{}
	var all []site.Past
	for _, p := range slices.Concat(first, second) {
		at, twice := known[p.Release]
		if !twice || p.Release == site.None {
			known[p.Release] = len(all)
			all = append(all, p)
		} else if p.Published.After(all[at].Published) {
			all[at].Published = p.Published
		}
	}
	slices.SortStableFunc(all, func(a, b site.Past) int { return b.Published.Compare(a.Published) })
	return all
}

// Superseded returns the releases that came after, the newest first.
func (c Chronicle) Superseded() []site.ID {
	var ids []site.ID
	for _, p := range slices.Backward(c.newer) {
		ids = append(ids, p.Release)
	}
	return ids
}

// Name says of what release a difference is, where one is known: bytes of an earlier release
// are stale, and bytes of a later one are no drift.
func (c Chronicle) Name(d *Difference) {
	if !d.Nameable() {
		return
	}
	switch d.Kind {
	case Altered:
		c.nameBytes(d)
	case Extra:
		c.nameExtra(d)
	case Missing:
		c.nameMissing(d)
	}
}

// Nameable reports whether a release of the past may be what explains a difference. None explains
// the right bytes, bytes under a status that the path does not have, or a whole origin.
func (d Difference) Nameable() bool {
	rightBytes := d.Got == d.Want && !d.Got.IsZero()
	return d.Kind.Info().Bytes && d.Path != "*" && !rightBytes && (d.Kind == Missing || !d.WrongStatus)
}

func (c Chronicle) nameBytes(d *Difference) {
	holds := func(p site.Past) bool {
		f, ok := p.Manifest.Find(d.Path)
		return ok && !d.Got.IsZero() && f.Digest == d.Got
	}
	if i := slices.IndexFunc(c.older, holds); i >= 0 {
		d.Kind, d.Earlier = Stale, true
		c.attribute(d, i)
		d.Detail = "the bytes of " + d.release() + d.behindCaches()
		return
	}
	if i := slices.IndexFunc(c.newer, holds); i >= 0 {
		d.Release, d.Published, d.Behind = c.newer[i].Release, c.newer[i].Published, -i-1
		d.Detail = "the bytes of " + d.release()
		d.Tolerated = "it is newer"
	}
}

// nameExtra goes by the bytes where they are known, else by the path.
func (c Chronicle) nameExtra(d *Difference) {
	had := func(p site.Past) bool { _, ok := p.Manifest.Find(d.Path); return ok }
	same := func(p site.Past) bool {
		f, ok := p.Manifest.Find(d.Path)
		return ok && !d.Got.IsZero() && f.Digest == d.Got
	}
	if i := slices.IndexFunc(c.older, same); i >= 0 {
		c.attribute(d, i)
		d.Earlier = true
		d.Detail = "removed since, and served as in " + d.release()
	} else if i := slices.IndexFunc(c.older, had); i >= 0 {
		c.attribute(d, i)
		d.Detail = "removed since " + d.release() + ", and served with other bytes"
	}
}

// nameMissing tells a page that an origin has not yet from one that it has lost.
func (c Chronicle) nameMissing(d *Difference) {
	if len(c.older) == 0 || d.Earlier {
		return
	}
	if _, had := c.older[0].Manifest.Find(d.Path); !had {
		c.attribute(d, 0)
		d.Earlier = true
		d.Detail += ", as before it was added"
	}
}

func (c Chronicle) attribute(d *Difference, i int) {
	d.Release, d.Published, d.Behind = c.older[i].Release, c.older[i].Published, i+1
}

// release names a difference's release for people.
func (d Difference) release() string {
	name := "release " + d.Release.Short()
	switch {
	case d.Behind < 0:
		name += fmt.Sprintf(", %d newer", -d.Behind)
	case d.Behind > 0:
		name += fmt.Sprintf(", %d behind", d.Behind)
	}
	return name
}
