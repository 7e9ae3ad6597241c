package workspace

import (
	"time"

	"mirror/diff"
)

// CheckOptions say how a check looks and how strictly it judges.
type CheckOptions struct {
	LiveOnly  bool          // do not ask the targets what they store and held before
	Sample    int           // pages to look at, picked at random; 0 for all
	Learn     bool          // what differs on every read is noise, and no drift
	TrustETag bool          // believe an origin that says a page has not changed since it was verified
	Wait      time.Duration // ask again for so long until the origins agree
	Published bool          // compare with what was published, not with a site's folder that is ahead of it
	Excerpts  bool          // show how altered pages differ
	Tolerance diff.Tolerance
}

// lenient reports whether something is let pass that would count else.
func (o CheckOptions) lenient() bool {
	t := o.Tolerance
	return len(t.Rules) > 0 || t.Window > 0 || t.Unreachable != diff.Share{}
}
