package targets

import (
	"cmp"
	"slices"
	"time"

	"mirror/site"
)

// StagingGrace is how long a release stays that was staged and is not known to have been
// live: another publisher may be about to commit it, however slow its other targets are.
const StagingGrace = 24 * time.Hour

// minKept is how many releases stay at least: the live one, and the one that it replaced,
// to which a publish that is still under way may have to roll back.
const minKept = 2

// Retention says which of the releases that a target holds may be dropped.
type Retention struct {
	// Keep is how many releases stay, the live one among them; never less than two do.
	Keep int
	// Known lists the releases that went live as the publisher's own history has them, the
	// latest first. It may be empty: what the target itself records comes first.
	Known []site.ID
	// Grace takes the place of StagingGrace where it is not 0; with a negative one nothing
	// counts as just staged.
	Grace time.Duration
	// Hold lists releases that stay whatever else there is: those that are staged to go live later.
	Hold []site.ID
	// Drop lists releases that go however young they are, unless they were live: those that were staged to go live later and
	// were withdrawn.
	Drop []site.ID
}

// Held is a release that a target holds.
type Held struct {
	Release site.ID
	// Age is the time since the release was last staged, by the target's clock where it has
	// one; 0 where it is not known, and then the release counts as just staged.
	Age time.Duration
}

// Expired returns the releases to drop: those that were live, beyond the latest Keep, and
// those of which that is not known, the latest staged first, as far as the others leave no
// place for them and another publisher cannot be about to commit them, or as Drop says. lived lists what was
// live as the target records it, the live release first; it may name what is not held.
func (r Retention) Expired(held []Held, lived []site.ID) []site.ID {
	staged := map[site.ID]time.Duration{}
	for _, h := range held {
		staged[h.Release] = h.Age
	}
	for _, id := range r.Hold {
		delete(staged, id)
	}
	var expired []site.ID
	left := r.Places()
	for _, id := range slices.Concat(lived, r.Known) {
		if _, there := staged[id]; !there {
			continue
		}
		delete(staged, id)
		if left--; left < 0 {
			expired = append(expired, id)
		}
	}
	rest := make([]Held, 0, len(staged))
	for id, age := range staged {
		rest = append(rest, Held{id, age})
	}
	slices.SortFunc(rest, func(a, b Held) int { return cmp.Or(cmp.Compare(a.Age, b.Age), cmp.Compare(a.Release, b.Release)) })
	for _, h := range rest {
		if slices.Contains(r.Drop, h.Release) {
			expired = append(expired, h.Release)
			continue
		}
		if left--; left < 0 && h.Age > r.grace() {
			expired = append(expired, h.Release)
		}
	}
	return expired
}

// Places is how many releases stay in any case, whatever they are.
func (r Retention) Places() int { return max(r.Keep, minKept) }

// MayBeStaging reports whether what was written that long ago may belong to a publish that
// is still under way.
func (r Retention) MayBeStaging(age time.Duration) bool { return age <= r.grace() }

func (r Retention) grace() time.Duration { return cmp.Or(r.Grace, StagingGrace) }
