package dashboard

import (
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/reports"
	"mirror/site"
)

// The documents of the API. They are a promise to scripts: fields may be added, never renamed
// or removed. What is also in a document of `mirror check` or `mirror publish` has its name.

type overviewDocument struct {
	Schema    string            `json:"schema"` // mirror.overview/v1
	Now       time.Time         `json:"now"`
	State     diff.State        `json:"state"` // of all: agree, drift, unreachable, unknown
	Agree     bool              `json:"agree"`
	Release   site.ID           `json:"release"`
	Published *time.Time        `json:"published"` // null where it is not on record
	Checked   *time.Time        `json:"checked"`   // null before the first check
	Overdue   []string          `json:"overdue"`
	Origins   []originDocument  `json:"origins"`
	Drift     []episodeDocument `json:"drift"`
	Jobs      []jobDocument     `json:"jobs"`
}

type originDocument struct {
	Schema   string            `json:"schema,omitempty"` // mirror.origin/v1 where it stands alone
	Name     string            `json:"name"`
	URL      string            `json:"url"`
	State    diff.State        `json:"state"`
	Since    *time.Time        `json:"since,omitempty"` // of the state, absent where it is not on record
	Release  site.ID           `json:"release"`
	Pages    int               `json:"pages"`
	Match    int               `json:"match"`
	Requests int64             `json:"requests"`
	Bytes    int64             `json:"bytes"`
	Elapsed  reports.Millis    `json:"elapsed_ms"`
	Counts   map[diff.Kind]int `json:"counts"`
	Error    string            `json:"error"`
	Expires  *time.Time        `json:"expires,omitempty"` // of the certificate, absent where none was seen
	Slowest  []slowDocument    `json:"slowest"`
}

type slowDocument struct {
	Path string         `json:"path"`
	Took reports.Millis `json:"elapsed_ms"`
}

type checkDocument struct {
	ID      int64            `json:"id"`
	Job     string           `json:"job"`
	Started time.Time        `json:"started"`
	Elapsed reports.Millis   `json:"elapsed_ms"`
	Release site.ID          `json:"release"`
	Pages   int              `json:"pages"`
	Partial bool             `json:"partial"`
	Error   string           `json:"error"`
	Origins []originDocument `json:"origins"`
}

type episodeDocument struct {
	ID        int64      `json:"id"`
	Origin    string     `json:"origin"`
	Kind      diff.Kind  `json:"kind"`
	LastGood  *time.Time `json:"last_good"` // null where no check saw it agree before
	Opened    time.Time  `json:"opened"`
	LastSeen  time.Time  `json:"last_seen"`
	Closed    *time.Time `json:"closed"` // null while it lasts
	Pages     int        `json:"pages"`
	MostPages int        `json:"most_pages"`
	Paths     []string   `json:"paths"`
	Release   site.ID    `json:"release"`
	URL       string     `json:"url"`
	Detail    string     `json:"detail"`
	Excerpt   string     `json:"excerpt,omitempty"`
}

type publishDocument struct {
	ID       int64           `json:"id"`
	Job      string          `json:"job"`
	Started  time.Time       `json:"started"`
	Elapsed  reports.Millis  `json:"elapsed_ms"`
	Outcome  string          `json:"outcome"`
	Release  site.ID         `json:"release"`
	Previous site.ID         `json:"previous"`
	Files    int             `json:"files"`
	Sent     int64           `json:"sent_bytes"`
	Window   *reports.Window `json:"window"` // null where nobody watched
	Error    string          `json:"error"`
}

type jobDocument struct {
	Name     string     `json:"name"`
	Run      string     `json:"run"`
	Cron     string     `json:"cron"`
	Describe string     `json:"describe"`
	Running  bool       `json:"running"`
	Since    *time.Time `json:"since,omitempty"` // with running
	Next     *time.Time `json:"next"`            // null for never
	Overdue  bool       `json:"overdue"`
}

type runDocument struct {
	Job     string         `json:"job"`
	Slot    time.Time      `json:"slot"`
	Started time.Time      `json:"started"`
	Elapsed reports.Millis `json:"elapsed_ms"`
	Outcome string         `json:"outcome"` // "" while it runs
	Error   string         `json:"error"`
	Log     string         `json:"log"`
}

func (s standing) document() overviewDocument {
	doc := overviewDocument{
		Schema: "mirror.overview/v1", Now: s.Now.UTC(), State: s.State(), Agree: s.State() == diff.Agrees, Release: s.Release,
		Published: instant(s.Live), Checked: instant(s.Check.Started), Overdue: append([]string{}, s.Overdue...),
		Origins: []originDocument{}, Drift: each(s.Open, episodeOf), Jobs: each(s.Jobs, jobOf),
	}
	for _, o := range s.Origins {
		row := originOf(o.OriginState)
		row.Since = instant(o.Since)
		doc.Origins = append(doc.Origins, row)
	}
	return doc
}

func originOf(o diff.OriginState) originDocument {
	doc := originDocument{
		Name: o.Name, URL: o.URL, State: o.State, Release: o.Release, Pages: o.Pages, Match: o.Match, Requests: o.Requests,
		Bytes: o.Bytes, Elapsed: reports.Millis(o.Elapsed), Counts: map[diff.Kind]int{}, Error: o.Err, Expires: instant(o.Facts.Expires),
		Slowest: each(o.Slowest, func(s diff.Slow) slowDocument { return slowDocument{s.Path, reports.Millis(s.Took)} }),
	}
	for kind, n := range o.Counts {
		doc.Counts[kind] = n
	}
	return doc
}

func checkOf(c history.Check) checkDocument {
	return checkDocument{ID: c.ID, Job: c.Job, Started: c.Started, Elapsed: reports.Millis(c.Elapsed), Release: c.Release,
		Pages: c.Pages, Partial: c.Partial, Error: c.Err, Origins: each(c.Origins, originOf)}
}

func episodeOf(e history.Episode) episodeDocument {
	return episodeDocument{ID: e.ID, Origin: e.Origin, Kind: e.Kind, LastGood: instant(e.LastGood), Opened: e.Opened, LastSeen: e.LastSeen,
		Closed: instant(e.Closed), Pages: e.Pages, MostPages: e.MostPages, Paths: append([]string{}, e.Paths...), Release: e.Release,
		URL: e.URL, Detail: e.Detail, Excerpt: e.Excerpt}
}

func publishOf(p history.Publish) publishDocument {
	doc := publishDocument{ID: p.ID, Job: p.Job, Started: p.Started, Elapsed: reports.Millis(p.Elapsed), Outcome: p.Outcome,
		Release: p.Release, Previous: p.Previous, Files: p.Files, Sent: p.Sent, Error: p.Err}
	if p.Window != nil {
		window := reports.WindowOf(*p.Window)
		doc.Window = &window
	}
	return doc
}

func jobOf(j JobStatus) jobDocument {
	return jobDocument{Name: j.Name, Run: j.Run, Cron: j.Spec, Describe: j.Describe, Running: j.Running, Since: instant(j.Since),
		Next: instant(j.Next), Overdue: j.Overdue}
}

func runOf(r history.Run) runDocument {
	return runDocument{Job: r.Job, Slot: r.Slot, Started: r.Started, Elapsed: reports.Millis(r.Elapsed), Outcome: r.Outcome, Error: r.Err, Log: r.Log}
}

// instant is a time for JSON, null for zero.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// each makes documents, [] of none.
func each[T, D any](all []T, of func(T) D) []D {
	docs := make([]D, 0, len(all))
	for _, one := range all {
		docs = append(docs, of(one))
	}
	return docs
}
