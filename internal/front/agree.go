package front

import (
	"cmp"
	"slices"
	"time"

	"mirror/site"
)

// standing is a release and where it stands in the order of releases.
type standing struct {
	release   site.ID
	sequence  int64     // 0 where a beacon of an old version tells none
	published time.Time // decides where there is no sequence
}

// newer reports whether a went live after b.
func (a standing) newer(b standing) bool {
	if a.sequence > 0 && b.sequence > 0 {
		return a.sequence > b.sequence
	}
	return a.published.After(b.published)
}

// claim is what one origin says that it serves.
type claim struct {
	standing
	held bool // a manifest proves the release, and a sample of its pages was verified there
}

// choose returns the release to serve: the newest that a quorum of origins holds. It is now's where no
// other is newer. gone says that no origin has held now's release for a while: then an older one may take
// its place. Of two releases that claim the same place in the order neither is chosen.
//
// The place of a release is the one that a quorum of its holders claims at least, so that fewer origins
// than a quorum cannot put it before another.
func choose(now standing, claims []claim, quorum int, gone bool) standing {
	var best standing
	tied := false
	for _, group := range byRelease(claims) {
		if len(group) < quorum {
			continue
		}
		slices.SortFunc(group, func(a, b standing) int {
			return cmp.Or(cmp.Compare(b.sequence, a.sequence), b.published.Compare(a.published))
		})
		next := group[quorum-1]
		switch {
		case best.release == site.None || next.newer(best):
			best, tied = next, false
		case !best.newer(next):
			tied = true
		}
	}
	switch {
	case best.release == site.None || tied:
		return now
	case now.release == site.None || best.newer(now), gone && best.release != now.release:
		return best
	}
	return now
}

// byRelease groups the claims that are held, in the order of the releases.
func byRelease(claims []claim) [][]standing {
	var groups [][]standing
	for _, c := range claims {
		if !c.held || c.release == site.None {
			continue
		}
		i := slices.IndexFunc(groups, func(g []standing) bool { return g[0].release == c.release })
		if i < 0 {
			groups = append(groups, []standing{c.standing})
			continue
		}
		groups[i] = append(groups[i], c.standing)
	}
	return groups
}
