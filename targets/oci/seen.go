package oci

import (
	"sync"
	"time"

	"mirror/site"
)

// seen is what a plan or a staging found: what an image made now would be made from, and what is live.
type seen struct {
	recipe recipe
	live   *head
}

// glance keeps what the last plan saw, for the staging, or the pruning, that follows it.
type glance struct {
	mu sync.Mutex // guards what follows
	id site.ID
	at time.Time
	seen
}

func (g *glance) put(id site.ID, now seen) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.id, g.at, g.seen = id, time.Now(), now
}

// lately is how old what a plan saw may be for the pruning that follows a publish.
const lately = time.Minute

// sawLately returns what was live at the end of a publish, for the pruning that follows it at once.
func (g *glance) sawLately() (*head, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.live, g.id != site.None && g.live.release() == g.id && time.Since(g.at) < lately
}

// staged is a release that this process staged.
type staged struct {
	release site.ID
	image   *head
	list    list
}

// fresh keeps the release that this process staged last, for the commit that follows.
type fresh struct {
	mu sync.Mutex // guards staged
	staged
}

func (f *fresh) put(s staged) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.staged = s
}

// take returns the release if it was staged last, once.
func (f *fresh) take(id site.ID) (staged, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.staged
	if s.release != id || id == site.None {
		return staged{}, false
	}
	f.staged = staged{}
	return s, true
}
