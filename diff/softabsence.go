package diff

import "mirror/site"

// softAbsence is the page with which an origin answers a path that never existed, with a status of
// success. A page that is answered with it is not there.
type softAbsence struct {
	path string      // for which the answer is reported
	got  site.Digest // zero where the origin answers such a path with 404 or another refusal
}

func softAbsenceOf(want Expectation, o site.Observation) softAbsence {
	if o.Err != nil || o.Status < 200 || o.Status > 299 {
		return softAbsence{}
	}
	return softAbsence{want.File.Path, o.Digest}
}

// is reports whether a difference is the answer for a path that never existed. The home page is that
// answer on many sites, and is there.
func (s softAbsence) is(d Difference) bool {
	return !s.got.IsZero() && d.Got == s.got && d.Path != s.path && d.Path != "index.html" && d.Path != "*"
}

// name says of altered pages that they are not there.
func (s softAbsence) name(diffs []Difference) []Difference {
	for i, d := range diffs {
		if d.Kind == Altered && s.is(d) {
			diffs[i].Detail = "not there: answered 200, with the page for paths that do not exist (a soft 404)" + d.behindCaches()
		}
	}
	return diffs
}
