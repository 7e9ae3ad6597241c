package watch

import (
	"context"
	"slices"
	"sync"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// Watch is a watch that goes on until Stop.
type Watch struct {
	options Options
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu      sync.Mutex
	window  *diff.Watch
	behind  *diff.Watch // what the origin answers when its caches are bypassed
	names   []string
	own     map[string][]int       // indexes of the changes that touch each origin
	lead    map[string]int         // the first of them that is not new there already, -1 for none
	past    map[string]*pastCaches // of the origins behind caches
	gates   map[string]*gate       // of the same
	exposed map[string]bool        // those of which no request can go past the caches
	claims  map[string]site.ID     // what each origin's beacon says
	awaited map[string]int         // how many wait for an origin to turn
	heard   map[string]bool        // origins that have answered anything
	trouble map[string]trouble     // what keeps each origin from being new
	failed  map[string]int         // requests in a row that each origin did not answer
	looked  map[site.ID]bool       // releases that Newer was asked for
	passed  map[site.ID]bool       // those of them that are newer
	row     map[string]int         // answers of each origin since its last old one
	clients []*origin.Client       // of the origins that are followed
	changed chan struct{}          // closed and made anew whenever something was learnt
}

// divide tells which changes touch which origin.
func (w *Watch) divide() {
	w.own = map[string][]int{}
	for _, name := range w.names {
		only := w.options.Own[name]
		if w.options.Own != nil {
			w.window.Only(name, only)
			w.behind.Only(name, only)
		}
		for i, c := range w.options.Changes {
			if w.options.Own == nil || slices.Contains(only, c.Path) {
				w.own[name] = append(w.own[name], i)
			}
		}
	}
}

// sample picks the pages for which an origin is asked past its caches.
func (w *Watch) sample(name string) {
	var own []int
	for _, i := range w.own[name] {
		if !w.window.Still(name, w.options.Changes[i].Path) {
			own = append(own, i)
		}
	}
	p := newPastCaches(own)
	var paths []string
	for _, i := range p.pages {
		paths = append(paths, w.options.Changes[i].Path)
	}
	w.behind.Only(name, paths)
	w.past[name] = p
}

// choose picks the page of each origin that a barrier asks for.
func (w *Watch) choose() {
	w.lead = map[string]int{}
	for _, name := range w.names {
		w.lead[name] = -1
		for _, i := range w.own[name] {
			if !w.window.Still(name, w.options.Changes[i].Path) {
				w.lead[name] = i
				break
			}
		}
	}
}
