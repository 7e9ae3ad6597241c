package html

import (
	"fmt"
	"time"

	"mirror/reports"
	"mirror/site"
)

// Origin is one origin, and when it drifted.
type Origin struct {
	Origin   reports.OriginStatus
	Check    *reports.HistoryCheck // that saw it so, nil for none
	Episodes []reports.PeriodEpisode
	Shown    int // days
}

// Title is the origin's name.
func (p Origin) Title() string  { return p.Origin.Name }
func (Origin) template() string { return "origin" }

// Publishes is a list of publishes.
type Publishes struct {
	Staged []reports.StagedRelease // to go live later
	Rows   []reports.PeriodPublish
	Older  string // address of the next part of the list, "" for none
}

// Title is that of the list.
func (Publishes) Title() string    { return "Releases" }
func (Publishes) template() string { return "publishes" }

// Publish is one publish.
type Publish struct {
	Publish     reports.PeriodPublish
	RollbackJob string  // that can put the release live again, "" where that is not offered
	Live        site.ID // the release that is live now, with RollbackJob
}

// Title names the release.
func (p Publish) Title() string  { return "Release " + p.Publish.Release.Short() }
func (Publish) template() string { return "publish" }

// Episodes is a list of drift episodes.
type Episodes struct {
	Rows  []reports.PeriodEpisode
	Older string // address of the next part of the list, "" for none
}

// Title is that of the list.
func (Episodes) Title() string    { return "Drift" }
func (Episodes) template() string { return "episodes" }

// Episode is one drift episode.
type Episode struct{ Episode reports.PeriodEpisode }

// Title names the origin and the kind of drift.
func (p Episode) Title() string  { return fmt.Sprintf("%s: %s", p.Episode.Origin, p.Episode.Kind) }
func (Episode) template() string { return "episode" }

// Checks is a list of checks.
type Checks struct {
	Rows  []reports.HistoryCheck
	All   int    // origins that the config names
	Older string // address of the next part of the list, "" for none
}

// Title is that of the list.
func (Checks) Title() string    { return "Checks" }
func (Checks) template() string { return "checks" }

// History is the days of the origins.
type History struct {
	Days     []reports.PeriodDay
	Origins  []string  // in their order; others that Days knows follow
	From, To time.Time // midnights, the last one after the last day
	Spans    []Span    // that may be chosen
}

// Span is a number of days that the history may be shown for.
type Span struct {
	Days    int
	Current bool
}

// Heat is the table of the days.
func (p History) Heat() heat { return heatOf(p.Days, p.Origins, p.From, p.To) }

// Title is that of the table.
func (History) Title() string    { return "History" }
func (History) template() string { return "history" }

// Jobs is all jobs and how the latest runs went.
type Jobs struct {
	Jobs []reports.Job
	Runs []reports.LoggedRun
}

// Title is that of the list.
func (Jobs) Title() string    { return "Jobs" }
func (Jobs) template() string { return "jobs" }

// Job is one job and how its runs went.
type Job struct {
	Name  string
	Jobs  []reports.Job // of that name, none where it is not scheduled any more
	Runs  []reports.LoggedRun
	Older string // address of the next part of the list, "" for none
}

// Title names the job.
func (p Job) Title() string  { return "Job " + p.Name }
func (Job) template() string { return "job" }

// Problem is a page in place of one that cannot be shown.
type Problem struct{ Head, Text string }

// Title is the head.
func (p Problem) Title() string  { return p.Head }
func (Problem) template() string { return "error" }
