package compare

import (
	"mirror/diff"
	"mirror/site"
)

// answers keeps what one origin answered for each page, small: there is one for each page and
// origin, and a site may have many.
type answers struct {
	cells    []cell // by page
	profiles []profile
	index    map[profileKey]uint32
}

// cell is one answer.
type cell struct {
	digest   site.Digest
	hostless site.Digest // zero where no link to the own host is in the page
	hosts    uint32      // how many there are
	profile  uint32      // of the answer: most pages share one
}

// profile is what an answer is beside its bytes.
type profile struct {
	status           int
	mediaType        string
	location, target string
	away, attached   bool
	err              error
}

type profileKey struct {
	status              int
	mediaType, location string
	target              string
	attached            bool
	err                 string
}

func newAnswers(pages int) answers {
	return answers{cells: make([]cell, pages), index: map[profileKey]uint32{}}
}

// keep keeps an answer to the i-th page, in which so many links lead to the own host.
func (as *answers) keep(i int, a diff.Answer, hosts int) {
	as.cells[i] = cell{digest: a.Digest, hosts: uint32(hosts), profile: as.intern(a)} //nolint:gosec // a page has fewer links than that
	if hosts > 0 {
		as.cells[i].hostless = a.Hostless
	}
}

func (as *answers) intern(a diff.Answer) uint32 {
	key := profileKey{a.Status, a.Type, a.Location, a.Target, a.Attached, ""}
	if a.Err != nil {
		key.err = a.Err.Error()
	}
	i, ok := as.index[key]
	if !ok {
		i = uint32(len(as.profiles)) //nolint:gosec // there are no more than pages
		as.index[key] = i
		as.profiles = append(as.profiles, profile{a.Status, a.Type, a.Location, a.Target, a.Away, a.Attached, a.Err})
	}
	return i
}

// profileOf is what the i-th answer is beside its bytes.
func (as *answers) profileOf(i int) profile { return as.profiles[as.cells[i].profile] }

// at is the i-th answer, without what the origin is beside it.
func (as *answers) at(i int) diff.Answer {
	c, p := as.cells[i], as.profileOf(i)
	a := diff.Answer{
		Status: p.status, Digest: c.digest, Hostless: c.hostless, Type: p.mediaType,
		Location: p.location, Target: p.target, Away: p.away, Attached: p.attached, Err: p.err,
	}
	if a.Hostless.IsZero() {
		a.Hostless = a.Digest
	}
	return a
}
