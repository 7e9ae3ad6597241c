package diff

import (
	"time"

	"mirror/site"
)

// Difference is one drift: a path at which an origin does not serve the release.
type Difference struct {
	Origin   string
	Path     string // manifest path; "*" stands for every page of the origin
	URL      string
	Kind     Kind
	Want     site.Digest // zero where the release has no such path
	Got      site.Digest // zero where no body was read to its end
	Status   int
	Location string  // of a redirect
	Release  site.ID // the earlier release that the bytes, or an extra path, are of; see Earlier
	Behind   int     // how many releases ago that was
	Detail   string  // one line for people
	// Published is when Release went live, zero where unknown.
	Published time.Time
	// Excerpt shows, in a few lines of a unified diff, how the bytes differ; "" where
	// they were not compared.
	Excerpt string
	// Tolerated is the rule by which this difference does not count, "" where it counts.
	Tolerated string
	// WrongStatus says that the answer has another status than the path's bytes come with: 200 for
	// a page, 404 or 410 for a path that never existed. Then they tell of no release.
	WrongStatus bool
	// Earlier says that Release, an earlier one, answered just so at the path: with these bytes,
	// or with none where it had no such page.
	Earlier bool
	// Cached says that only caches in front of the origin serve it: past them the origin
	// serves the release.
	Cached bool
	// Pages is how many pages the one difference stands for, 0 where it is of a single page; see PagesOf.
	Pages int
	// Asked and Answered are the begin of the request and the end of the answer that show it, both
	// zero where unknown: it had begun by Answered, and was not over at Asked. Where it stands for
	// many pages, Answered is of the page that was answered first, and Asked of the one that was
	// asked for last.
	Asked, Answered time.Time
	// Places are the names of the places that see it, and LookedFrom is how many places looked at the
	// origin; nil and 0 where one place alone looked.
	Places     []string
	LookedFrom int
}

// PagesOf counts the pages of differences. One with the path "*" counts as all that it stands for.
func PagesOf(all []Difference) (n int) {
	for _, d := range all {
		n += d.pages()
	}
	return n
}

func (d Difference) pages() int { return max(1, d.Pages) }
