package front

import (
	"slices"
	"sync"
	"time"

	"mirror/site"
)

// Bounds of what is remembered of releases.
const (
	maxEditions = 6         // that are known
	maxKnown    = 1 << 18   // files of them, but for the one that is served and the latest
	maxRefused  = 64        // that could not be proved
	maxSums     = 192 << 20 // bytes of a manifest: a million files have room
	maxFiles    = 1 << 20   // of a release
)

// refusedFor is for how long a release that could not be proved is not looked up again.
const refusedFor = time.Second

// trustTime bounds one look for a manifest.
const trustTime = 30 * time.Second

// editions are the releases that a manifest proves.
type editions struct {
	learning sync.Mutex // held by the one that looks a manifest up

	mu      sync.Mutex // guards what follows
	all     map[site.ID]*edition
	order   []site.ID // the latest last
	pinned  site.ID   // the one that is served, which stays
	refused map[site.ID]refusal
}

// refusal is why a release could not be proved, and when that was found.
type refusal struct {
	err error
	at  time.Time
}

// get returns a known edition, or the error of the last look for it.
func (k *editions) get(id site.ID) (*edition, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.all[id]; e != nil {
		return e, nil
	}
	if r, ok := k.refused[id]; ok && time.Since(r.at) < refusedFor {
		return nil, r.err
	}
	return nil, nil
}

// manifest returns the manifest of a known release.
func (k *editions) manifest(id site.ID) (site.Manifest, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.all[id]
	if e == nil {
		return nil, false
	}
	return e.manifest, true
}

// add remembers an edition in place of the oldest.
func (k *editions) add(e *edition) *edition {
	k.mu.Lock()
	defer k.mu.Unlock()
	if known := k.all[e.release]; known != nil {
		return known
	}
	k.all[e.release] = e
	k.order = append(k.order, e.release)
	for len(k.order) > maxEditions || len(k.order) > 2 && k.files() > maxKnown {
		i := 0
		if k.order[0] == k.pinned {
			i = 1
		}
		delete(k.all, k.order[i])
		k.order = slices.Delete(k.order, i, i+1)
	}
	delete(k.refused, e.release)
	return e
}

// files counts the files of all editions. The caller must hold mu.
func (k *editions) files() (n int) {
	for _, e := range k.all {
		n += len(e.manifest)
	}
	return n
}

func (k *editions) refuse(id site.ID, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.refused) >= maxRefused || k.refused == nil {
		k.refused = map[site.ID]refusal{}
	}
	k.refused[id] = refusal{err, time.Now()}
}

// pin keeps an edition however many others become known.
func (k *editions) pin(id site.ID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pinned = id
}

// earlier reports whether some bytes are those of a path in another known release.
func (k *editions) earlier(path string, d site.Digest) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.all {
		if p := e.pages[path]; p != nil && p.file.Digest == d {
			return true
		}
	}
	return false
}
