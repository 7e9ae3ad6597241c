// Package reports shows what was found and done: one model a command, and its encoders.
// The JSON forms are a promise to scripts: fields may be added, never renamed or removed.
package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"mirror/diff"
	"mirror/site"
)

// JSON writes a document, indented, with a final newline.
func JSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(document); err != nil {
		return fmt.Errorf("write json: %w", err)
	}
	return nil
}

// Millis is a duration that JSON shows as a number of milliseconds.
type Millis time.Duration

// MarshalJSON writes milliseconds, with microseconds as the fraction.
func (m Millis) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", float64(time.Duration(m).Microseconds())/1000), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Millis) UnmarshalJSON(text []byte) error {
	ms, err := strconv.ParseFloat(string(text), 64)
	*m = Millis(ms * float64(time.Millisecond))
	return err
}

// Check is the document of `mirror check`.
type Check struct {
	Schema  string    `json:"schema"` // mirror.check/v1
	Agree   bool      `json:"agree"`
	Alike   bool      `json:"alike"` // the origins serve the same as each other, whatever the release says
	Release site.ID   `json:"release"`
	Pages   int       `json:"pages"`
	Started time.Time `json:"started"`
	Elapsed Millis    `json:"elapsed_ms"`
	Origins []Origin  `json:"origins"`
	Drift   []Drift   `json:"drift"`
}

// Origin is one origin in a Check.
type Origin struct {
	Name     string            `json:"name"`
	URL      string            `json:"url"`
	State    diff.State        `json:"state"`
	Release  site.ID           `json:"release"` // the beacon's claim
	Pages    int               `json:"pages"`
	Match    int               `json:"match"`
	Requests int64             `json:"requests"`
	Bytes    int64             `json:"bytes"`
	Elapsed  Millis            `json:"elapsed_ms"`
	Counts   map[diff.Kind]int `json:"counts"`
	Error    string            `json:"error"`
}

// Drift is one difference in a Check.
type Drift struct {
	Origin   string      `json:"origin"`
	Path     string      `json:"path"`
	URL      string      `json:"url"`
	Kind     diff.Kind   `json:"kind"`
	Want     site.Digest `json:"want"`
	Got      site.Digest `json:"got"`
	Status   int         `json:"status"`
	Location string      `json:"location"`
	Release  site.ID     `json:"release"`
	Behind   int         `json:"behind"`
	Detail   string      `json:"detail"`

	Published time.Time `json:"published,omitzero"` // of Release
	Excerpt   string    `json:"excerpt,omitempty"`
	Tolerated string    `json:"tolerated,omitempty"`
}

// CheckOf makes the document of a verdict.
func CheckOf(v diff.Verdict) Check {
	c := Check{
		Schema: "mirror.check/v1", Agree: v.Agree(), Alike: v.Alike(), Release: v.Release, Pages: v.Pages,
		Started: v.Started, Elapsed: Millis(v.Elapsed), Origins: []Origin{}, Drift: []Drift{},
	}
	for _, o := range v.Origins {
		row := Origin{
			Name: o.Name, URL: o.URL, State: o.State(), Release: o.Release, Pages: o.Pages, Match: o.Match,
			Requests: o.Requests, Bytes: o.Bytes, Elapsed: Millis(o.Elapsed), Counts: o.Counts(),
		}
		if o.Err != nil {
			row.Error = o.Err.Error()
		}
		c.Origins = append(c.Origins, row)
		for _, d := range o.Differences {
			c.Drift = append(c.Drift, Drift(d))
		}
	}
	return c
}

// Plan is the document of `mirror plan`.
type Plan struct {
	Schema  string       `json:"schema"` // mirror.plan/v1
	Release site.ID      `json:"release"`
	Targets []PlanTarget `json:"targets"`
	Order   []PlanStep   `json:"order"`
}

// PlanStep is one commit in the order in which publish would make them.
type PlanStep struct {
	Name    string `json:"name"`
	After   Millis `json:"after_ms"` // the first commit
	Barrier bool   `json:"barrier"`  // waits until those without were seen live
	Reason  string `json:"reason"`
}

// PlanTarget is one target in a Plan.
type PlanTarget struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	From   site.ID  `json:"from"`
	Add    []string `json:"add"`
	Change []string `json:"change"`
	Delete []string `json:"delete"`
	Same   int      `json:"same"`
	Bytes  int64    `json:"bytes"`
	Error  string   `json:"error"`
}

// Publish is the document of `mirror publish`.
type Publish struct {
	Schema   string          `json:"schema"` // mirror.publish/v1
	Outcome  string          `json:"outcome"`
	Release  site.ID         `json:"release"`
	Previous site.ID         `json:"previous"`
	Files    int             `json:"files"`
	Bytes    int64           `json:"bytes"`
	Targets  []PublishTarget `json:"targets"`
	Window   *Window         `json:"window,omitempty"` // how the origins turned
	Check    *Check          `json:"check,omitempty"`  // what the origins were last seen to serve
	Error    string          `json:"error,omitempty"`
}

// PublishTarget is one target in a Publish.
type PublishTarget struct {
	Name      string     `json:"name"`
	Type      string     `json:"type"`
	From      site.ID    `json:"from"`
	To        site.ID    `json:"to"`
	Add       int        `json:"add"`
	Change    int        `json:"change"`
	Delete    int        `json:"delete"`
	Same      int        `json:"same"`
	SentFiles int        `json:"sent_files"`
	SentBytes int64      `json:"sent_bytes"`
	Stage     Millis     `json:"stage_ms"`
	Commit    Millis     `json:"commit_ms"`
	Committed *time.Time `json:"committed"` // null where nothing was committed
	Error     string     `json:"error"`
}

// Demo is the document of `mirror demo`.
type Demo struct {
	Schema  string     `json:"schema"` // mirror.demo/v1
	OK      bool       `json:"ok"`
	Steps   []DemoStep `json:"steps"`
	Publish []Publish  `json:"publish"`
	Check   []Check    `json:"check"`
}

// DemoStep is one step of the story.
type DemoStep struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}
