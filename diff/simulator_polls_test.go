package diff_test

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"time"

	"mirror/site"
)

// requests returns what is going to be told, in that order: the polls of all origins.
func (w *world) requests() []reply {
	var all []reply
	for i, p := range w.places {
		if p.looked {
			all = append(all, w.looks(i)...)
		}
		at := w.upTo(2*p.gap) - p.gap // some ask before the watch begins
		for n := range 10 + w.IntN(50) {
			a := w.request(i, n, at)
			all = append(all, a)
			if p.serial {
				at = a.answered
			}
			at += w.pause(p, n)
		}
	}
	slices.SortStableFunc(all, func(a, b reply) int { return cmp.Compare(a.told, b.told) })
	return all
}

// looks are the requests for every page of a place before the watch begins.
func (w *world) looks(place int) []reply {
	var all []reply
	p := w.places[place]
	for page := range w.changes {
		asked := -w.upTo(w.span) - 3*w.grain
		a := w.ask(place, page, w.IntN(len(p.edges)), asked, asked, asked+w.grain)
		if w.Float64() < p.trouble {
			w.fail(&a)
		}
		all = append(all, a)
	}
	return all
}

// pause is the time between two requests: regular, random, with long rests, in bursts.
func (w *world) pause(p *place, n int) time.Duration {
	switch {
	case p.pattern == 1:
		return time.Duration(w.ExpFloat64() * float64(p.gap))
	case p.pattern == 2 && w.IntN(10) == 0:
		return 10 * p.gap
	case p.pattern == 3 && n%5 > 0:
		return p.gap / 50
	}
	return p.gap
}

// request sends the n-th request to a place, mostly to its pages in turn.
func (w *world) request(place, n int, at time.Duration) reply {
	p := w.places[place]
	page, edge := n%len(w.changes), w.IntN(len(p.edges))
	if p.pattern == 1 {
		page = w.IntN(len(w.changes))
	}
	if p.sticky {
		edge = p.routes[w.IntN(len(p.routes))]
	}
	sampled := at + time.Duration(w.ExpFloat64()*float64(p.up))
	a := w.ask(place, page, edge, at, sampled, sampled+time.Duration(w.ExpFloat64()*float64(p.down)))
	if w.Float64() < p.trouble {
		w.fail(&a)
	}
	return a
}

// ask sends a request that meets the edge at an instant, and is answered properly.
func (w *world) ask(place, page, edge int, asked, sampled, answered time.Duration) reply {
	a := reply{
		place: place, page: page, edge: edge, showed: true,
		asked: w.round(asked), sampled: w.round(sampled), answered: w.round(answered),
	}
	a.told = a.answered + w.upTo(w.late)
	a.turn = w.places[place].edges[edge].at(page, max(a.sampled, 0))
	a.o = site.Observation{Path: w.changes[page].Path, Asked: w.began.Add(a.asked), Answered: w.began.Add(a.answered)}
	w.serve(&a)
	return a
}

// serve gives the answer that the edge has for the page.
func (w *world) serve(a *reply) {
	c := w.changes[a.page]
	d := [...]site.Digest{bytesOf(a.page, stale), c.Old, bytesOf(a.page, broken), {}, c.New, w.newer[a.page]}[a.turn.state]
	a.o.Status, a.o.Digest, a.o.Raw = http.StatusOK, d, d
	if d.IsZero() {
		notFound := site.Digest{255}
		a.o.Status, a.o.Digest, a.o.Raw = http.StatusNotFound, notFound, notFound
	}
}

// fail gives what a bad network, a broken origin or one in the way answers.
func (w *world) fail(a *reply) {
	c := w.changes[a.page]
	a.showed, a.o.Status, a.o.Digest, a.o.Raw = false, 0, site.Digest{}, site.Digest{}
	switch w.IntN(8) {
	case 0:
		a.o.Status, a.o.Digest = http.StatusServiceUnavailable, c.New
	case 1:
		a.o.Status, a.o.Digest = http.StatusOK, sha256.Sum256(nil)
	case 2:
		a.o.Status, a.o.Digest = http.StatusNotModified, sha256.Sum256(nil)
	case 3:
		a.o.Status, a.o.Digest = http.StatusMovedPermanently, c.Old
	case 4:
		a.o.Status, a.o.Digest = http.StatusOK, site.Digest{254, byte(w.IntN(256)), byte(w.IntN(256)), byte(w.IntN(256)), byte(w.IntN(256))}
	case 5:
		a.o.Status, a.o.Digest, a.o.Err = http.StatusOK, c.New, errors.New("cut")
	case 6:
		a.o.Status, a.o.Digest = http.StatusTooManyRequests, c.Old
	case 7:
		a.o.Err = errors.New("no answer")
	}
}

// tell gives an answer to the watch.
func (w *world) tell(a reply) {
	w.told = append(w.told, a)
	w.watch.Add(w.places[a.place].name, a.o)
}
