package edge

import (
	"crypto/sha256"
	"io/fs"
	"maps"
	"net/http"
	"sync/atomic"
	"time"

	"mirror/internal/static"
)

// Release is a built site, or one that holds nothing.
type Release struct {
	site    fs.FS        // nil for nothing
	Handler http.Handler // serves the site
	sums    map[string][sha256.Size]byte
	free    func() // called when it is served no more
	users   atomic.Int64
}

func (r *Release) drop() {
	if r.free != nil {
		r.free()
	}
}

func (r *Release) leave() {
	if r.users.Add(-1) == 0 {
		r.drop()
	}
}

// step is one release in a timeline.
type step struct {
	*record
	*Release
}

// record is what is kept of a deployment when its release is gone.
type record struct {
	due
	noted   time.Time                    // when requests were sure to hear of it, which may be after it was due
	changes map[string][sha256.Size]byte // against the deployment before; zero for a file that goes
	late    map[string]time.Duration     // of the changed files, where they do not come all at once
	span    time.Duration                // the longest of these
}

// file is when a file of the release is to be seen, and when its absence is.
func (r *record) file(path string) due { return r.plus(r.late[path]) }

// whole is when all of the release is to be seen.
func (r *record) whole() due { return r.plus(r.span) }

// newRecord compares the contents of two releases and sets the pace of the change.
func newRecord(old, next map[string][sha256.Size]byte, p pace) *record {
	r := &record{changes: map[string][sha256.Size]byte{}}
	for path, sum := range next {
		if old[path] != sum {
			r.changes[path] = sum
		}
	}
	for path := range old {
		if _, ok := next[path]; !ok {
			r.changes[path] = [sha256.Size]byte{}
		}
	}
	if p.perFile <= 0 {
		return r
	}
	r.late = map[string]time.Duration{}
	for i, path := range p.sorted(maps.Keys(r.changes)) {
		r.span = time.Duration(i) * p.perFile
		r.late[path] = r.span
	}
	return r
}

// timeline serves, of some releases in the order of their deployment, the last whose time
// has come. The first is there from the start. It never changes.
type timeline struct {
	front *front
	steps []step
	site  static.Options
}

// newTimeline holds on to the releases until leave.
func newTimeline(f *front, steps []step, site static.Options) *timeline {
	for _, s := range steps {
		s.users.Add(1)
	}
	return &timeline{f, steps, site}
}

func (t *timeline) leave() {
	for _, s := range t.steps {
		s.leave()
	}
}

// ServeHTTP answers a visitor.
func (t *timeline) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := t.front.meet(w, r)
	base := wholly(t.steps, v)
	last := len(t.steps) - 1
	for last > base && !v.sees(t.steps[last].due) {
		last--
	}
	if last == base {
		t.steps[base].Handler.ServeHTTP(w, r)
		return
	}
	static.New(&mixture{t.steps[base : last+1], v}, t.site).ServeHTTP(w, r)
}

// wholly finds the last step of which everything is seen.
func wholly(steps []step, v vantage) int {
	i := len(steps) - 1
	for i > 0 && !v.sees(steps[i].whole()) {
		i--
	}
	return i
}

// mixture is a site between releases: some files are of one, some of the next.
type mixture struct {
	steps []step
	vantage
}

// Open opens a file of the last release that is seen of it.
func (m *mixture) Open(name string) (fs.File, error) {
	i := len(m.steps) - 1
	for i > 0 && !m.sees(m.steps[i].file(name)) {
		i--
	}
	if site := m.steps[i].site; site != nil {
		return site.Open(name)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// needed are the steps that some cache or the origin shows or will show, and when the next
// of them may be needed no longer, zero for never.
func needed(steps []step, c *caches, now time.Time) (kept []step, next time.Time) {
	need := map[int]bool{}
	for _, edge := range append(c.all(), Behind) { // the caches that come next will be filled from there
		base := wholly(steps, vantage{c, edge, now})
		need[base] = true
		for i := base + 1; i < len(steps); i++ {
			if _, ok := c.turn(edge, steps[i].due); ok {
				need[i] = true
			}
			if at, ok := c.turn(edge, steps[i].whole()); ok && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	for i, s := range steps {
		if need[i] {
			kept = append(kept, s)
		}
	}
	return kept, next
}
