package reports

import (
	"time"

	"mirror/diff"
	"mirror/site"
)

// Overview is how things stand now: the document of the dashboard's first page.
type Overview struct {
	Schema    string          `json:"schema"` // mirror.overview/v1
	Now       time.Time       `json:"now"`
	State     diff.State      `json:"state"` // of all: agree, drift, unreachable, unknown
	Agree     bool            `json:"agree"`
	Release   site.ID         `json:"release"`
	Published *time.Time      `json:"published"` // null where it is not on record
	Checked   *time.Time      `json:"checked"`   // null before the first check
	Overdue   []string        `json:"overdue"`
	Origins   []OriginStatus  `json:"origins"`
	Fronts    *FrontGap       `json:"fronts,omitempty"` // how far apart they moved to Release; absent where that was not watched
	Drift     []PeriodEpisode `json:"drift"`            // that lasts
	Jobs      []Job           `json:"jobs"`
	Group     *Group          `json:"group,omitempty"` // absent where the daemon works alone

	// Check is the latest check of everything that came to a verdict, Latest the latest of
	// all; nil for none. PublishID is of the publish that made the release live, 0 for none on
	// record. The document leaves them out: the lists have them.
	Check     *HistoryCheck `json:"-"`
	Latest    *HistoryCheck `json:"-"`
	PublishID int64         `json:"-"`
}

// Group is the daemons that share the work for a site, as one of them sees it.
type Group struct {
	Name   string `json:"name"`
	Leads  bool   `json:"leads"`  // this daemon runs the schedule and sends alerts
	Leader string `json:"leader"` // the host that does, "" where that is not known
}

// Job is one job of the daemon, and how it stands.
type Job struct {
	Name     string     `json:"name"`
	Run      string     `json:"run"`      // what it does: check, publish, report, prune, rollback
	Cron     string     `json:"cron"`     // its spec
	Describe string     `json:"describe"` // the spec in plain words
	Running  bool       `json:"running"`
	Since    *time.Time `json:"since,omitempty"` // with running
	Next     *time.Time `json:"next"`            // null for never
	Overdue  bool       `json:"overdue"`
}

// LoggedRun is a run with what it printed.
type LoggedRun struct {
	HistoryRun
	Found diff.State `json:"found,omitempty"` // by the check that the run made, absent where it made none
	Log   string     `json:"log"`
}
