// Package mixedcontent finds the http:// resources that pages and style sheets load. Where the page
// itself came over https, browsers block such a resource or load it over https in its place (W3C Mixed Content).
package mixedcontent

import (
	"slices"
	"strings"
)

// Resource is one http:// resource that a page loads.
type Resource struct {
	Element string // that loads it, as in "script" or "css"
	URL     string // 200 bytes at most, as the page has it
	Active  bool   // it can change the page: browsers block it, and warn of a form that sends there
}

// Found is what one page, or several, load over http.
type Found struct {
	Count    int // of resources
	Active   int // of them
	Examples []Resource
}

const (
	maxExamples = 3    // of a page
	maxURL      = 200  // bytes
	maxSeen     = 1000 // of a page; there is no need to count on
)

func (f *Found) add(element, url string, active bool) {
	f.Count++
	if active {
		f.Active++
	}
	r := Resource{element, strings.ToValidUTF8(url[:min(len(url), maxURL)], ""), active}
	switch {
	case len(f.Examples) < maxExamples:
		f.Examples = append(f.Examples, r)
	case active:
		if i := slices.IndexFunc(f.Examples, func(r Resource) bool { return !r.Active }); i >= 0 {
			f.Examples[i] = r
		}
	}
}
