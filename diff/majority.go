package diff

import (
	"fmt"
	"net/http"
	"slices"
)

// Ruling is how the origins stand to each other at one page.
type Ruling struct {
	Differ   []Difference // of the origins that differ from the reference, or could not be judged
	Agree    []int        // the answers, by index, that agree with the reference
	Forgiven []int        // those of Agree that the bytes as sent would have parted, but for links to own hosts
	Tie      bool         // there is no reference: no group of equal answers is larger than every other
	Gone     bool         // every answer that could be judged says that there is no such page
	Closed   bool         // Gone, as far as visitors who have not logged in are told (401)
	Away     bool         // every one of them leads to the same place on another host
}

// Majority compares what the origins answered for a page with each other. The largest group
// of equal answers stands as the reference, and those that are not in it differ. Where two
// groups are the largest there is none: every answer differs then, and none is called right.
// What could not be judged is Unreachable, and neither agrees nor votes.
func Majority(path string, answers []Answer) Ruling {
	return rule(path, answers, func(a Answer) bool { return a.stands() != failed },
		func(a, b Answer) bool { return a.Same(path, b) })
}

// NotFoundMajority compares how the origins answer a path that never existed. Whatever the
// others do, an answer other than 404 or 410 (or a refusal of an origin that serves other
// pages) differs; the not-found pages are compared with each other.
func NotFoundMajority(path string, answers []Answer) Ruling {
	pages := slices.Clone(answers) // as if the not-found pages were pages
	for i, a := range answers {
		if isGone(a.Status) {
			pages[i].Status = http.StatusOK
		}
	}
	votes := func(a Answer) bool { return a.Err == nil && isGone(answers[indexOf(answers, a.Origin)].Status) }
	r := rule(path, pages, votes, func(a, b Answer) bool { return sameBytes(a, b) && a.Target == b.Target })
	r.Gone, r.Closed, r.Away = false, false, false
	kept := r.Differ[:0]
	for _, d := range r.Differ {
		a := answers[indexOf(answers, d.Origin)]
		if a.stands() == noPage && !isGone(a.Status) { // a bucket that may not be listed
			continue
		}
		kept = append(kept, notFoundDifference(d, a))
	}
	r.Differ = kept
	return r
}

func notFoundDifference(d Difference, a Answer) Difference {
	d.Status = a.Status
	switch a.stands() {
	case served:
		d.Kind, d.Detail = Altered, fmt.Sprintf("a path that does not exist answers %d, not 404", a.Status)
	case moved:
		d.Kind, d.Detail = Redirected, fmt.Sprintf("a path that does not exist answers %d, not 404", a.Status)
	case noPage:
		d.Detail = "the not-found page: " + d.Detail
	}
	return d
}

// rule parts the answers that may vote into groups of equals, and judges each by the largest.
func rule(path string, answers []Answer, votes func(Answer) bool, equal func(a, b Answer) bool) Ruling {
	groups, voters := group(answers, votes, equal)
	reference, tie := largest(groups)
	r := Ruling{Tie: tie, Gone: voters > 0, Away: voters > 0}
	for i, a := range answers {
		d := Difference{Origin: a.Origin, Path: path, URL: a.URL, Got: a.Digest, Status: a.Status, Location: a.Location}
		switch {
		case a.stands() == failed || groups[i] < 0 && !a.Unsteady:
			d.Kind, d.Detail = Unreachable, unjudged(a)
			r.Differ = append(r.Differ, d)
			continue
		case a.Unsteady:
			d.Kind, d.Detail = Altered, "the answer is another on each read (hint: --learn takes that for noise)"
			r.Differ = append(r.Differ, d)
		case tie:
			r.Differ = append(r.Differ, tied(d, answers, groups, i, path))
		case groups[i] == reference && voters == 1: // no other site to agree with
		case groups[i] == reference:
			r.Agree = append(r.Agree, i)
		default:
			d.Want = answers[reference].Digest
			r.Differ = append(r.Differ, outvoted(d, path, a, answers[reference], size(groups, reference), voters))
		}
		r.Gone = r.Gone && a.stands() == noPage
		r.Closed = r.Closed || a.Status == http.StatusUnauthorized
		r.Away = r.Away && (a.stands() == moved || a.stands() == served) && a.Away
	}
	r.Closed = r.Closed && r.Gone
	r.Away = r.Away && len(r.Differ) == 0
	r.Forgiven = forgiven(r.Agree, answers)
	return r
}

// group gives each voter the index of its group's first member, and -1 to who does not vote.
func group(answers []Answer, votes func(Answer) bool, equal func(a, b Answer) bool) (groups []int, voters int) {
	groups = make([]int, len(answers))
	for i, a := range answers {
		groups[i] = -1
		if !votes(a) || a.Unsteady {
			continue
		}
		voters++
		groups[i] = i
		for j := range i {
			if groups[j] >= 0 && groups[j] != groups[i] && equal(a, answers[j]) {
				merge(groups[:i+1], groups[i], groups[j])
			}
		}
	}
	return groups, voters
}

func merge(groups []int, a, b int) {
	for i, g := range groups {
		if g == a || g == b {
			groups[i] = min(a, b)
		}
	}
}

func size(groups []int, g int) (n int) {
	for _, other := range groups {
		if other == g {
			n++
		}
	}
	return n
}

// largest returns the largest group; tie tells that another one is as large.
func largest(groups []int) (best int, tie bool) {
	best, most := -1, 0
	for i, g := range groups {
		if g != i { // not the first of its group
			continue
		}
		switch n := size(groups, g); {
		case n > most:
			best, most, tie = g, n, false
		case n == most:
			tie = true
		}
	}
	return best, tie
}

// forgiven lists those that agree although not all bytes are the same as sent.
func forgiven(agree []int, answers []Answer) []int {
	for _, i := range agree {
		if answers[i].stands() != moved && answers[i].Digest != answers[agree[0]].Digest && answers[i].stands() != noPage {
			return agree
		}
	}
	return nil
}

func indexOf(answers []Answer, origin string) int {
	for i, a := range answers {
		if a.Origin == origin {
			return i
		}
	}
	return -1
}
