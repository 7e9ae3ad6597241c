package reports

import (
	"time"

	"mirror/diff"
	"mirror/site"
)

// Period is the document of `mirror report`: how the origins did over a time.
type Period struct {
	Schema string    `json:"schema"` // mirror.report/v1
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Checks int       `json:"checks"` // of everything, that came to a verdict
	Failed int       `json:"failed"` // checks that came to none
	// Last is when the last check of everything before the end of the period began, and Release
	// what it compared the origins with. Both may be of before the period; null and "" where
	// there was none.
	Last    *time.Time `json:"last_check"`
	Release site.ID    `json:"release"`
	State   diff.State `json:"state"` // of all origins together in that check, "unknown" where there was none
	// Agreement is of all origins together: when one did not agree, they did not.
	Agreement Agreement      `json:"agreement"`
	Origins   []PeriodOrigin `json:"origins"`
	// Episodes lists those that lasted at some time in the period, those that last still
	// first, then the latest first. Of very many only the first are listed.
	Episodes     []PeriodEpisode `json:"episodes"`
	EpisodeCount int             `json:"episode_count"`
	// Recovery is how long the episodes of all origins took that ended in the period; null where there
	// was no episode.
	Recovery *Recovery `json:"recovery"`
	// Publishes lists those that began in the period, the latest first. Of very many only
	// the first are listed.
	Publishes    []PeriodPublish `json:"publishes"`
	PublishCount int             `json:"publish_count"`
	Windows      *PeriodWindows  `json:"windows"` // null where no publish was watched
	Slowest      []PeriodSlow    `json:"slowest"` // pages, the slowest first
	Days         []PeriodDay     `json:"days"`    // by date, then in the order of the origins
	Ending
}

// Agreement is the share of a period for which all was well.
type Agreement struct {
	Checks      int `json:"checks"`
	Agreed      int `json:"agreed"`      // checks
	Drifted     int `json:"drifted"`     // checks
	Unreachable int `json:"unreachable"` // checks
	// ByChecks is Agreed of Checks; null where there were none.
	ByChecks *float64 `json:"by_checks"`
	// ByTime is the share of the time that is known of; null where none is. The time between
	// two checks counts as what both saw, half and half where they saw different things.
	ByTime         *float64 `json:"by_time"`
	AgreedFor      Millis   `json:"agreed_ms"`
	DriftedFor     Millis   `json:"drifted_ms"`
	UnreachableFor Millis   `json:"unreachable_ms"`
	// Before is ByTime, or else ByChecks, of the time before the period, as long as it; null
	// where nothing is known of that.
	Before *float64 `json:"before"`
}

// PeriodOrigin is one origin in a Period.
type PeriodOrigin struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	// State, Release, Match, Pages and Error are of the last check before the end of the period;
	// State is "" where that did not look at the origin, "unknown" where there was none.
	State     diff.State `json:"state"`
	Release   site.ID    `json:"release"` // the beacon's claim
	Pages     int        `json:"pages"`
	Match     int        `json:"match"`
	Error     string     `json:"error"`
	Agreement Agreement  `json:"agreement"`
	Episodes  int        `json:"episodes"` // in the period
	Open      int        `json:"open"`     // that last
	// Longest bounds the longest episode from below, with the time that it lasted before the period;
	// null where there was none. LongestUpper bounds it from above; null where nothing does, as while
	// it lasts.
	Longest      *Millis   `json:"longest_ms"`
	LongestUpper *Millis   `json:"longest_upper_ms"`
	Recovery     *Recovery `json:"recovery"`    // null where there was no episode
	Elapsed      *Millis   `json:"elapsed_ms"`  // of one check, on average; null where there was none
	Certificate  *TLS      `json:"certificate"` // null for plain http
}

// PeriodEpisode is one drift episode in a Period. It lasted from between LastGood and Opened
// until between LastSeen and Closed. These are of the requests for its pages; where a single answer
// showed it, LastSeen is before Opened.
type PeriodEpisode struct {
	ID        int64      `json:"id"`
	Origin    string     `json:"origin"`
	Kind      diff.Kind  `json:"kind"`
	LastGood  *time.Time `json:"last_good"` // begin of the last request that did not show it yet, null where there is none
	Opened    time.Time  `json:"opened"`    // end of the first answer that showed it
	LastSeen  time.Time  `json:"last_seen"` // begin of the last request that showed it
	Closed    *time.Time `json:"closed"`    // end of the answer with which it was gone from all its pages, null while it lasts
	Lasted    Millis     `json:"lasted_ms"` // from Opened to Closed, or to the end of the period
	Lower     Millis     `json:"lower_ms"`  // it lasted no less
	Upper     *Millis    `json:"upper_ms"`  // and no more; null where nothing bounds it
	Pages     int        `json:"pages"`     // as last seen
	MostPages int        `json:"most_pages"`
	Paths     []string   `json:"paths"` // the first of them
	Release   site.ID    `json:"release"`
	Detail    string     `json:"detail"`
	Excerpt   string     `json:"excerpt,omitempty"`
	URL       string     `json:"url"`
}

// Recovery is the mean time to recovery: from the begin of an episode to its end. The bounds of the
// mean are the means of the bounds.
type Recovery struct {
	Episodes  int   `json:"episodes"`  // that ended in the period, and of which the mean is
	Open      int   `json:"open"`      // left out: they had not ended at the end of the period
	Unbounded int   `json:"unbounded"` // left out: they ended, and when they began is not known, as of those that the first check saw
	Mean      *Span `json:"mean"`      // null where Episodes is 0
}

// PeriodPublish is one publish in a Period.
type PeriodPublish struct {
	ID       int64     `json:"id"`
	Started  time.Time `json:"started"`
	Elapsed  Millis    `json:"elapsed_ms"`
	Job      string    `json:"job"` // "" for a person
	Outcome  string    `json:"outcome"`
	Release  site.ID   `json:"release"`
	Previous site.ID   `json:"previous"`
	Files    int       `json:"files"`
	Bytes    int64     `json:"sent_bytes"`
	Window   *Window   `json:"window"` // null where it was not watched
	Error    string    `json:"error"`
	// Reason says why the origins did not agree at the end, "" where they did or were not looked at.
	Reason   string          `json:"reason,omitempty"`
	Rollback bool            `json:"rollback,omitempty"` // of an earlier release
	Targets  []PublishTarget `json:"targets,omitempty"`  // absent where it is not on record
}

// What is what it was: a publish, or a rollback to an earlier release.
func (p PeriodPublish) What() string {
	if p.Rollback {
		return "rollback"
	}
	return "publish"
}

// mark tells a rollback from other publishes, after its outcome.
func (p PeriodPublish) mark() string {
	if p.Rollback {
		return " (" + p.What() + ")"
	}
	return ""
}

// PeriodWindows sums up the windows of a period. Each figure is bounds: those that hold for
// it whatever each window was within its own. Nothing bounds one that is still open.
type PeriodWindows struct {
	Count int      `json:"count"`
	Open  int      `json:"open"` // that did not close while they were watched
	P50   OpenSpan `json:"p50"`
	P95   OpenSpan `json:"p95"`
	Max   OpenSpan `json:"max"`
	// Before is the P50 of the time before the period, as long as it; null for none.
	Before *OpenSpan `json:"before"`
	// Trend is by how much the P50 changed against Before, as bounds of the difference; null
	// where there is none to compare with, or where nothing bounds it.
	Trend *Span `json:"trend"`
}

// OpenSpan is a length between two bounds, the upper null where nothing bounds it.
type OpenSpan struct {
	Lower Millis  `json:"lower_ms"`
	Upper *Millis `json:"upper_ms"`
}

// PeriodSlow is a page that took long.
type PeriodSlow struct {
	Origin string    `json:"origin"`
	Path   string    `json:"path"`
	Took   Millis    `json:"took_ms"` // at its slowest
	At     time.Time `json:"at"`      // the check that saw that
	Times  int       `json:"times"`   // how many checks had it among their slowest, at least
}

// PeriodDay is one origin's day (UTC) in a Period.
type PeriodDay struct {
	Date        string   `json:"date"` // as in 2006-01-02
	Origin      string   `json:"origin"`
	Checks      int      `json:"checks"`
	Agreed      int      `json:"agreed"`
	Drifted     int      `json:"drifted"`
	Unreachable int      `json:"unreachable"`
	ByTime      *float64 `json:"by_time"` // null where nothing is known
	ByChecks    *float64 `json:"by_checks"`
	Pages       int      `json:"pages"`      // over all checks
	Matched     int      `json:"matched"`    // over all checks
	Elapsed     *Millis  `json:"elapsed_ms"` // of one check, on average
}

// Empty reports whether nothing at all is known of the period.
func (p Period) Empty() bool {
	return p.Checks+p.Failed+p.EpisodeCount+p.PublishCount == 0 && p.Last == nil
}
