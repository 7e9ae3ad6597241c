// Package windows watches a change from many places. The agents watch the origins as a publish does here, each by
// its own monotonic clock. Round trips before, during and after the watch bound how that clock relates to
// the coordinator's (package clock). Every bound of an agent is widened by what is not known of its clock, and
// joined with the others. What carries the messages is package broker.
package windows

import (
	"encoding/json"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/vantage"
	"mirror/internal/watch"
	"mirror/site"
)

// The kinds of message, see vantage.Item.
const (
	KindAsk    = "window-ask"
	KindReport = "window-report"
)

// Since is the version of the protocol since which agents watch a change.
const Since = 2

// Ask is what a coordinator asks an agent about one watch. Each is one round trip.
type Ask struct {
	Kind   string // KindAsk
	Place  string // who is asked
	Watch  string // of which watch
	Number int    // of the round trip, from 1
	Task   *Task  `json:",omitzero"` // begins the watch; without effect where it has begun
	Hurry  []int  `json:",omitzero"` // indexes of the task's origins that a barrier waits for
	Full   bool   `json:",omitzero"` // the report has the window
	End    bool   `json:",omitzero"` // the watch is over
}

// Task says what to watch. It tells an agent all that it needs.
type Task struct {
	Limit    time.Duration // after which the agent ends the watch by itself
	Patience time.Duration // for what was live before
	Baseline bool          // look what is live before the watch begins
	Release  site.ID
	Beacon   string
	Changes  []diff.Change
	Own      map[string][]int         `json:",omitzero"` // indexes of the changes, by origin; nil where all change everywhere
	Earlier  map[string][]site.Digest `json:",omitzero"`
	Beside   []site.File              `json:",omitzero"` // other files of the release, that say what an answer means
	Atomic   []string                 `json:",omitzero"`
	Origins  []vantage.Origin
}

// Report is what an agent says of a watch.
type Report struct {
	Kind     string // KindReport
	Protocol int
	Place    string
	Watch    string
	Number   int           // of the Ask that it answers, 0 for none
	Read     time.Duration // the agent's monotonic clock when it had the Ask
	Boot     time.Duration // its boot-time clock, read next to it
	Refused  string        `json:",omitzero"` // why the agent does not watch
	Began    bool          // the watch has begun
	Origins  []Seen        `json:",omitzero"` // in the order of the task
	Full     bool          `json:",omitzero"` // Origins have the window
}

// Seen is how one origin stands at an agent's place.
type Seen struct {
	Live    bool `json:",omitzero"` // see watch.Progress
	Settled bool `json:",omitzero"`

	// The rest is as in diff.OriginWindow.
	FirstNew, AllNew Edge
	Switch           *Edge `json:",omitzero"`
	Unchanged        bool  `json:",omitzero"`
	Flaps            bool  `json:",omitzero"`
	Reversals, Polls int   `json:",omitzero"`
	Pages            int   `json:",omitzero"`
	Open             []int `json:",omitzero"` // indexes of the changes
}

// Edge is bounds of an instant on the agent's clock. Without After it is no earlier than the begin of the whole
// watch; without Before nothing bounds it from above.
type Edge struct {
	After, Before *time.Duration `json:",omitzero"`
}

// maxAsk and maxReport bound a message that is decoded, in bytes.
const (
	maxAsk    = 1 << 20
	maxReport = 256 << 10
)

// taskOf makes the task of a watch.
func taskOf(o watch.Options, origins []vantage.Origin, baseline bool, limit, patience time.Duration) *Task {
	t := &Task{Limit: limit, Patience: patience, Baseline: baseline, Release: o.Release, Beacon: o.BeaconPath, Changes: o.Changes, Earlier: o.Earlier, Atomic: o.Atomic, Origins: origins}
	index, beside := map[string]int{}, map[string]bool{}
	for i, c := range o.Changes {
		index[c.Path] = i
	}
	add := func(f site.File) {
		if _, changes := index[f.Path]; !changes && !beside[f.Path] {
			beside[f.Path] = true
			t.Beside = append(t.Beside, f)
		}
	}
	if stays := slices.IndexFunc(o.Manifest, func(f site.File) bool { _, changes := index[f.Path]; return !changes }); stays >= 0 {
		add(o.Manifest[stays])
	}
	for _, c := range o.Changes {
		if c.New.IsZero() {
			for _, f := range vantage.Beside(o.Manifest, c.Path) {
				add(f)
			}
		}
	}
	if o.Own != nil {
		t.Own = map[string][]int{}
		for name, paths := range o.Own {
			for _, path := range paths {
				if i, ok := index[path]; ok {
					t.Own[name] = append(t.Own[name], i)
				}
			}
		}
	}
	return t
}

// options are what an agent watches by a task.
func (t *Task) options() watch.Options {
	o := watch.Options{Changes: t.Changes, Earlier: t.Earlier, Release: t.Release, BeaconPath: t.Beacon, Atomic: t.Atomic, Patience: t.Patience}
	for _, c := range t.Changes {
		if !c.New.IsZero() {
			o.Manifest = append(o.Manifest, site.File{Path: c.Path, Digest: c.New})
		}
	}
	o.Manifest = append(o.Manifest, t.Beside...)
	o.Manifest.Sort()
	if t.Own != nil {
		o.Own = map[string][]string{}
		for name, own := range t.Own {
			for _, i := range own {
				if i >= 0 && i < len(t.Changes) {
					o.Own[name] = append(o.Own[name], t.Changes[i].Path)
				}
			}
		}
	}
	return o
}

// large is the size from which on a message is compressed, in bytes.
const large = 32 << 10

// Encode returns a message as it is sent.
func Encode[M Ask | Report](message M) ([]byte, error) {
	text, err := json.Marshal(message)
	if err != nil || len(text) < large {
		return text, err
	}
	return vantage.Encode(message)
}

func decode(data []byte, most int, message any) bool {
	if len(data) == 0 || len(data) > most {
		return false
	}
	if data[0] == '{' {
		return json.Unmarshal(data, message) == nil
	}
	return vantage.Decode(data, message) == nil
}

// DecodeAsk reads an Ask for a place. ok is false for anything else.
func DecodeAsk(data []byte, place string) (ask Ask, ok bool) {
	return ask, decode(data, maxAsk, &ask) && ask.Kind == KindAsk && ask.Place == place && ask.Watch != ""
}

// DecodeReport reads the report of a place. ok is false for anything else.
func DecodeReport(data []byte, place string) (r Report, ok bool) {
	return r, decode(data, maxReport, &r) && r.Kind == KindReport && r.Place == place
}
