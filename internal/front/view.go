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
	trouble  diff.Difference
	since    time.Time // of the trouble, zero for none
	reported bool      // the trouble
	asked    bool      // it was looked at
	answers  bool      // the last look had an answer
	unproven site.ID   // a claim that was reported
	failing  string    // a page of the sample that differed: it is asked for first
}
