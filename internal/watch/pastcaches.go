package watch

import "time"

// A request that no cache answers needs a query that was never used before, and leaves an object under that query in every
// cache that has the query in its key. So a watch sends few of them (origin.MostUnique): for a sample of an origin's pages
// and its beacon, at times that grow apart until they are spent after some 5 minutes.
const (
	pastPages  = 4
	pastPause  = 50 * time.Millisecond
	pastGrowth = 1.3
	pastRefuse = 4 // times the pause, after an answer that refuses
)

// pastCaches is when to ask one origin past its caches, and for which of its pages.
type pastCaches struct {
	pages   []int // indexes of the changes
	beacon  bool  // it is asked for, too
	steady  bool  // the pause does not grow: a request leaves nothing
	turn    int
	due     time.Time
	pause   time.Duration
	changes bool // the sample has begun to be new
}

// newPastCaches takes a sample of pages, evenly.
func newPastCaches(own []int) *pastCaches {
	p := &pastCaches{pause: pastPause}
	for n := range min(len(own), pastPages) {
		p.pages = append(p.pages, own[n*len(own)/min(len(own), pastPages)])
	}
	return p
}

// theBeacon stands for it among the indexes of pages.
const theBeacon = -1

// next returns the page to ask for, if it is time for one. wanted says which of the sample still matter. While the gate is
// closed the beacon is asked for in turn with them, once a page was seen new: it goes live last.
func (p *pastCaches) next(now time.Time, closed bool, wanted func(page int) bool) (page int, ok bool) {
	if now.Before(p.due) {
		return 0, false
	}
	var old []int
	for _, page := range p.pages {
		if wanted(page) {
			old = append(old, page)
		}
	}
	if len(old) < len(p.pages) && !p.changes {
		p.changes, p.pause = true, pastPause // the rest follows soon
	}
	beacon := closed && p.beacon && len(old) < len(p.pages) || closed && p.beacon && len(p.pages) == 0
	if beacon {
		old = append(old, theBeacon)
	}
	if len(old) == 0 {
		return 0, false
	}
	page = old[p.turn%len(old)]
	p.turn, p.due = p.turn+1, now.Add(p.pause)
	if !p.steady {
		p.pause = time.Duration(pastGrowth * float64(p.pause))
	}
	return page, true
}

// refused has an origin that refuses be left alone for longer. It is called with the queue's lock.
func (p *pastCaches) refused(now time.Time) {
	p.pause *= pastRefuse
	p.due = now.Add(p.pause)
}

// gate is what keeps the requests for an origin behind caches away from the keys that visitors use, until the origin was seen
// to have switched: before that they would put the old page into a cold edge, where it stays after the switch.
// Watch.mu guards it.
type gate struct {
	open      bool
	unclaimed int // times that the beacon was read since all of the sample was new, and did not claim the release
}

// mostUnclaimed is how often a beacon behind the caches may not claim the release while all of the sample is new. Some
// origins do not serve it, or serve that of another publisher.
const mostUnclaimed = 3
