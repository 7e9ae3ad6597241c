package s3

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// inventory is what listings showed.
type inventory struct {
	site map[string]bucket.Object // the site's own keys, beacons among them; nil where they were not listed
	own  map[string]bucket.Object // what lies under .mirror/; nil where it was not listed
	// filled are the keys that a Stage has put in place of a release that is not live: no part of site.
	filled map[string]bucket.Object
	fill   *filling // nil where the state names none
}

// sighting is the last listing, and the ETag of the state document that it goes with: as long as the
// document is the same, no publish has changed what the listing showed.
type sighting struct {
	mu   sync.Mutex // guards what follows
	etag string     // "" for none
	h    documents.StateDocument
	inv  inventory
	// planned is when a Plan read h, zero once a Stage has begun with it.
	planned time.Time
}

// plannedFor is for how long a Stage begins with the state that the Plan before it has read. What another publisher has
// written since shows when the state is written.
const plannedFor = time.Minute

// filling is a release of which a Stage has put content in place, or puts, before it is live.
type filling struct {
	change  *documents.Change
	entries documents.Entries // of the release
}

// note remembers a listing.
func (s *sighting) note(h documents.StateDocument, inv inventory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.etag, s.h, s.inv, s.planned = h.ETag(), h, inv, time.Time{}
}

// notePlan remembers what a Plan has read.
func (s *sighting) notePlan(h documents.StateDocument, inv inventory) {
	s.note(h, inv)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.planned = time.Now()
}

// takePlanned returns the state that a Plan has just read, once.
func (s *sighting) takePlanned() (documents.StateDocument, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	just := !s.planned.IsZero() && time.Since(s.planned) < plannedFor
	s.planned = time.Time{}
	return s.h, just
}

// lastSeen returns the state document as it was read or written last, and what was listed beside it, where
// that is known.
func (s *sighting) lastSeen() (documents.StateDocument, inventory, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.h, s.inv, s.etag != ""
}

// recall returns the last listing, empty where the state document is another one by now.
func (s *sighting) recall(h documents.StateDocument) inventory {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.ETag() == "" || h.ETag() != s.etag {
		return inventory{}
	}
	return s.inv
}

// carry has the last listing count for the state document that this process has just written in place of
// one, without a change to what is listed.
func (s *sighting) carry(from, to documents.StateDocument) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from.ETag() != "" && s.etag == from.ETag() {
		s.etag, s.h = to.ETag(), to
	}
}

// holds reports whether the staged content of a file is there.
func (inv inventory) holds(d site.Digest, size int64) bool {
	o, ok := inv.own[documents.ObjectPath(d)]
	return ok && o.Size == size
}

// revision names content that has no state document of ours: a digest of its listing,
// without times, so that a rollback brings it back.
func (inv inventory) revision() string {
	if len(inv.site) == 0 {
		return ""
	}
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(inv.site)) {
		fmt.Fprintf(h, "%q %q %d\n", path, inv.site[path].ETag, inv.site[path].Size)
	}
	return fmt.Sprintf("listing-%x", h.Sum(nil))
}

// liveOf tells the live release. While a commit is under way, that is none.
func liveOf(h documents.StateDocument, inv inventory) targets.Live {
	switch {
	case h.None():
		return targets.Live{Revision: inv.revision()}
	case h.Phase == documents.PhaseCommitting:
		return targets.Live{Revision: h.Revision}
	}
	return targets.Live{Release: h.Release, Revision: h.Revision}
}

// isOf reports whether a state was made by this very swap.
func isOf(h documents.StateDocument, s targets.Swap) bool {
	return !h.None() && h.From.Revision == s.From.Revision && h.To == s.To
}
