package watch

import (
	"slices"
	"time"

	"mirror/diff"
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
	to := w.window
	if bypass {
		to = w.behind
	}
	side := to.Add(name, says)
	if !bypass {
		w.count(name, says, side)
	}
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
