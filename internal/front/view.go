package front

import (
	"time"

	"mirror/diff"
	"mirror/site"
)

// view is what is known of one origin.
type view struct {
	beacon   site.Beacon // what it claims; zero where it claims nothing
	held     site.ID     // the claimed release, once a sample of it was verified
	answered time.Time   // when the last answer for that came
	trouble  diff.Difference
	since    time.Time // of the trouble, zero for none
	reported bool      // the trouble
	asked    bool      // it was looked at
	answers  bool      // the last look had an answer
	unproven site.ID   // a claim that was reported
	refused  time.Time // when a claim could not be proved last
	failing  string    // a page of the sample that differed: it is asked for first
}

// said is what the last look showed, for people.
func (v view) said() string {
	switch {
	case !v.asked:
		return "it has not answered yet"
	case v.held != site.None:
		return "it holds release " + v.held.Short()
	case v.unproven != site.None && v.unproven == v.beacon.Release:
		return "it claims release " + v.unproven.Short() + ", whose manifest cannot be had"
	case v.failing != "":
		return "it claims release " + v.beacon.Release.Short() + " and serves other bytes at " + v.failing
	case v.beacon.Release != site.None:
		return "it claims release " + v.beacon.Release.Short()
	}
	return v.trouble.Detail
}

// completed returns when the last answer came that shows that origins hold a release, the zero time for none.
func completed(views []view, id site.ID) (at time.Time) {
	for _, v := range views {
		if v.held == id && v.answered.After(at) {
			at = v.answered
		}
	}
	return at
}
