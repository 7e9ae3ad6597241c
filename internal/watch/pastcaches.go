package watch

import "time"

// A request that no cache answers needs a query that was never used before, and leaves an object under that query in every
// cache that has the query in its key. So a watch sends few of them: for a sample of an origin's pages, at times that
// grow apart until mostPast are spent after some 5 minutes.
const (
	mostPast   = 32
	pastPages  = 4
	pastPause  = 50 * time.Millisecond
	pastGrowth = 1.25
)

// pastCaches is when to ask one origin past its caches, and for which of its pages.
type pastCaches struct {
	pages []int // indexes of the changes
	sent  int
	due   time.Time
	pause time.Duration
}

// newPastCaches takes a sample of pages, evenly.
func newPastCaches(own []int) *pastCaches {
	p := &pastCaches{pause: pastPause}
	for n := range min(len(own), pastPages) {
		p.pages = append(p.pages, own[n*len(own)/min(len(own), pastPages)])
	}
	return p
}

// next returns the page to ask for, if it is time for one. wanted says which of the sample still matter.
func (p *pastCaches) next(now time.Time, wanted func(page int) bool) (page int, ok bool) {
	if p.sent >= mostPast || now.Before(p.due) {
		return 0, false
	}
	for n := range p.pages {
		if page := p.pages[(p.sent+n)%len(p.pages)]; wanted(page) {
			p.sent, p.due, p.pause = p.sent+1, now.Add(p.pause), time.Duration(pastGrowth*float64(p.pause))
			return page, true
		}
	}
	return 0, false
}
