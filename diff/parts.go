package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mirror/site"
)

// JoinParts makes one verdict of those on the parts of a look at an origin, of which there is at least
// one. Each part has pages that no other has. Look, the time of the whole, is the caller's to set.
func JoinParts(parts []OriginVerdict) OriginVerdict {
	v := OriginVerdict{Name: parts[0].Name, URL: parts[0].URL}
	var failed []OriginVerdict
	for _, p := range parts {
		if p.Err != nil {
			failed = append(failed, p)
		}
		v.addPart(p)
	}
	switch {
	case len(failed) == len(parts):
		v.Err, v.Tolerated, v.Times.ErrAsked, v.Times.ErrAnswered = failed[0].Err, failed[0].Tolerated, failed[0].Times.ErrAsked, failed[0].Times.ErrAnswered
	case len(failed) > 0:
		d := Difference{
			Origin: v.Name, Path: wholeOrigin, URL: v.URL, Kind: Unreachable, Asked: failed[0].Times.ErrAsked, Answered: failed[0].Times.ErrAnswered,
		}
		for _, p := range failed {
			d.Pages += p.Pages
		}
		d.Detail = fmt.Sprintf("%d of %d pages were not seen: %v", d.Pages, v.Pages, failed[0].Err)
		v.Differences = append(v.Differences, d)
	}
	v.foldParts(len(parts))
	slices.SortFunc(v.Slowest, func(a, b Slow) int { return cmp.Compare(b.Took, a.Took) })
	v.Slowest = v.Slowest[:min(len(v.Slowest), keepSlowest)]
	v.sort()
	return v
}

// addPart adds what can be added of the verdict on a part.
func (o *OriginVerdict) addPart(p OriginVerdict) {
	if o.Release == site.None {
		o.Release, o.Published, o.RolledBack = p.Release, p.Published, p.RolledBack
	}
	o.Facts.addPart(p.Facts)
	o.Pages, o.Match, o.Requests, o.Bytes = o.Pages+p.Pages, o.Match+p.Match, o.Requests+p.Requests, o.Bytes+p.Bytes
	o.Recovered, o.Trusted, o.Elapsed = o.Recovered+p.Recovered, o.Trusted+p.Trusted, o.Elapsed+p.Elapsed
	o.Differences, o.Noise = append(o.Differences, p.Differences...), append(o.Noise, p.Noise...)
	o.Slowest, o.Times.Looks = append(o.Slowest, p.Slowest...), append(o.Times.Looks, p.Times.Looks...)
}

// foldParts makes one difference of those by which each part says the same of all of its pages, and of
// those that are beside the pages and were found with each part: the answer for a path that never existed.
func (o *OriginVerdict) foldParts(parts int) {
	if parts < 2 {
		return
	}
	var all []Difference
	known := map[string][]int{} // by path: few have more than one
	for _, d := range o.Differences {
		same := slices.IndexFunc(known[d.Path], func(i int) bool { return sameAnswer(all[i], d) })
		if same < 0 {
			known[d.Path] = append(known[d.Path], len(all))
			all = append(all, d)
			continue
		}
		first := &all[known[d.Path][same]]
		if d.Path == wholeOrigin {
			before := fmt.Sprintf("on all %d pages", first.Pages)
			first.Pages += d.Pages
			first.Detail = strings.Replace(first.Detail, before, fmt.Sprintf("on all %d pages", first.Pages), 1)
		}
		first.Asked, first.Answered = together([]Difference{*first, d})
	}
	o.Differences = all
}
