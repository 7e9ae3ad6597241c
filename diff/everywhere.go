package diff

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"mirror/site"
)

// Everywhere folds the differences of an origin's pages into a single one, with the path
// "*", when the origin gave the same wrong answer on every page: it is parked, or shut down.
func Everywhere(diffs []Difference, pages int) []Difference {
	if pages < 2 || len(diffs) < pages {
		return diffs
	}
	first := diffs[0]
	for _, d := range diffs[1:] {
		if !sameAnswer(first, d) {
			return diffs
		}
	}
	first.Path, first.Want, first.Pages = wholeOrigin, site.Digest{}, pages
	first.Asked, first.Answered = together(diffs)
	what := "the same on all %d pages: %s"
	if first.Kind == Altered {
		what = "the whole origin answers the same page, on all %d pages: %s"
	}
	first.Detail = fmt.Sprintf(what, pages, first.Detail)
	return []Difference{first}
}

// besideEverywhere leaves out of what was found beside the pages what Everywhere has said.
func besideEverywhere(folded, beside []Difference) []Difference {
	if len(folded) != 1 || folded[0].Path != wholeOrigin {
		return beside
	}
	return slices.DeleteFunc(beside, func(d Difference) bool {
		d.Kind = folded[0].Kind // the same page is extra, or altered, where there should be none
		return sameAnswer(folded[0], d)
	})
}

func sameAnswer(a, b Difference) bool {
	if a.Kind != b.Kind || a.Status != b.Status || a.Kind == Mistyped {
		return false
	}
	if a.Kind == Altered {
		return a.Got == b.Got && !a.Got.IsZero()
	}
	return HostOf(a.Location) == HostOf(b.Location)
}

// HostOf returns the host that a location names, with its port and in lower case; "" where it names none.
func HostOf(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return location
	}
	return strings.ToLower(u.Host)
}
