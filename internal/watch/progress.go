package watch

import (
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// Window returns what the answers so far prove.
func (w *Watch) Window() diff.Window {
	w.mu.Lock()
	defer w.mu.Unlock()
	win := w.window.Window()
	w.reopen(&win)
	for i, o := range w.behind.Window().Origins {
		if o.Polls > 0 {
			win.Origins[i].Behind = &o.AllNew
		}
	}
	return win
}

// Changed returns a channel that is closed when something has been learnt since.
func (w *Watch) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// Hurry has what Await waits for requested more often at the named origins, until calm is called.
func (w *Watch) Hurry(names []string) (calm func()) {
	w.hurry(names, 1)
	return func() { w.hurry(names, -1) }
}

func (w *Watch) settled(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.steady(name)
}

// confirmed reports whether every page of an origin is, by itself.
func (w *Watch) confirmed(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.window.Settled(name)
}

// hurry begins or ends the waiting for origins.
func (w *Watch) hurry(names []string, by int) {
	w.uncover(names) // what is waited for is committed
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range names {
		w.awaited[name] += by
	}
}

// hurried reports whether a barrier waits for an origin to switch.
func (w *Watch) hurried(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.awaited[name] > 0 && !w.turned(name)
}

// waitsForDeployment reports whether an origin's beacon is what its window waits for.
func (w *Watch) waitsForDeployment(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.undeployed(name)
}

// turned reports whether an origin was seen to have the change: its beacon, which goes
// live last, claims it and the page that is asked for as often shows it; or every page does.
func (w *Watch) turned(name string) bool {
	shows := func(i int) bool { return w.window.Page(name, w.options.Changes[i].Path).New }
	own, lead := w.own[name], w.lead[name]
	if w.claims[name] == w.options.Release && (lead < 0 || shows(lead)) {
		return true
	}
	if len(own) == 0 {
		return w.options.BeaconPath == ""
	}
	return !slices.ContainsFunc(own, func(i int) bool { return !shows(i) })
}

// learn takes in an answer, and what it says, and wakes who waits.
func (w *Watch) learn(name string, o, says site.Observation, bypass bool) {
	w.mu.Lock()
	side := w.add(name, says, bypass)
	w.heard[name] = w.heard[name] || o.Status != 0
	w.note(name, o, side)
	w.wake()
	w.mu.Unlock()
	if w.options.See != nil {
		w.options.See(name, o, side)
	}
	if w.options.Cached != nil && !bypass {
		w.options.Cached(name, o, side)
	}
}

// add takes in what an answer says. While the gate is closed no cache can have got the new page through us, and an origin that
// is old behind its caches is old for visitors. The caller must hold mu.
func (w *Watch) add(name string, says site.Observation, bypass bool) diff.Side {
	if !bypass {
		side := w.window.Add(name, says)
		w.count(name, says, side)
		return side
	}
	side := w.behind.Add(name, says)
	if g := w.gates[name]; side == diff.Old && g != nil && !g.open {
		w.window.Add(name, says)
	}
	w.sawPast(name, false)
	return side
}

// claimPast takes in what the beacon behind the caches says.
func (w *Watch) claimPast(name string, id site.ID) {
	w.claim(name, id)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sawPast(name, true)
	w.wake()
}

// claim takes in what a beacon says, and what is known of a release newer than ours.
func (w *Watch) claim(name string, id site.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id == w.options.Release && w.undeployed(name) {
		w.window.Deployed(name, time.Now())
	}
	w.claims[name] = id
	w.wake()
	if id == site.None || w.looked[id] || w.options.Newer == nil {
		return
	}
	w.looked[id] = true
	newer, ok := w.options.Newer(id)
	if !ok {
		return
	}
	w.passed[id] = true
	for _, c := range w.options.Changes {
		f, _ := newer.Find(c.Path) // zero where it has none
		w.window.Supersede(c.Path, f.Digest)
	}
}

// tellCached tells of what a beacon claims as of any other page.
func (w *Watch) tellCached(name string, asked time.Time, id site.ID) {
	if w.options.Cached == nil || id == site.None {
		return
	}
	side := diff.Old
	if id == w.options.Release {
		side = diff.New
	}
	w.options.Cached(name, site.Observation{Path: w.options.BeaconPath, Asked: asked}, side)
}

// Progress is how far one origin has come.
type Progress struct {
	Name     string
	Claim    site.ID // what its beacon says
	Heard    bool    // it has answered at least once
	New, All int     // pages that were last seen new, and all that are watched
	Live     bool    // it was seen to serve the release, as Await waits for
	Settled  bool
	Trouble  string // what it last answered in place of the new pages, "" for nothing
	Hopeless bool   // it fails for good, and is not waited for
}

// Progress tells how far each origin has come.
func (w *Watch) Progress() []Progress {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Progress
	for _, name := range w.names {
		s := Progress{Name: name, Claim: w.claims[name], Heard: w.heard[name], All: len(w.own[name]), Live: w.turned(name), Settled: w.steady(name), Trouble: w.trouble[name].why, Hopeless: w.hopeless(name)}
		for _, i := range w.own[name] {
			if w.window.Page(name, w.options.Changes[i].Path).New {
				s.New++
			}
		}
		all = append(all, s)
	}
	return all
}

// wake has the lock.
func (w *Watch) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// shut closes the gate of an origin behind caches, unless nothing that changes there is old. The caller must hold no lock.
func (w *Watch) shut(at origin.Endpoint) {
	p := w.past[at.Name]
	p.beacon = w.options.BeaconPath != ""
	p.steady = at.Cache.Directives
	claimed := w.options.Claimed[at.Name]
	deploys := p.beacon && claimed != site.None && claimed != w.options.Release
	w.gates[at.Name] = &gate{open: len(p.pages) == 0 && !deploys}
}

// closed reports whether an origin may not be asked as visitors ask it.
func (w *Watch) closed(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.gates[name]
	return g != nil && !g.open
}

// uncover opens the gates of those origins of which no request can go past the caches. They are committed.
func (w *Watch) uncover(names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range names {
		if g := w.gates[name]; g != nil && w.exposed[name] {
			g.open = true
		}
	}
}

// giveIn opens the gate of an origin when no request past its caches is left.
func (w *Watch) giveIn(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gates[name].open = true
}

// sawPast opens the gate of an origin when what is behind its caches has switched. The caller must hold mu.
func (w *Watch) sawPast(name string, beacon bool) {
	g := w.gates[name]
	if g == nil || g.open {
		return
	}
	claim := w.claims[name]
	if claim != site.None && (claim == w.options.Release || w.passed[claim]) {
		g.open = true
		return
	}
	for _, i := range w.past[name].pages {
		if !w.behind.Page(name, w.options.Changes[i].Path).New {
			return
		}
	}
	if beacon {
		g.unclaimed++
	}
	g.open = !w.past[name].beacon || g.unclaimed >= mostUnclaimed
}
