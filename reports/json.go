// Package reports shows what was found and done: one model a command, and its encoders.
// The JSON forms are a promise to scripts: fields may be added, never renamed or removed.
package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"mirror/site"
)

// JSON writes a document, indented, with a final newline. What a terminal or a CI runner
// would act on is written as an escape; readers of JSON see no difference.
func JSON(w io.Writer, document any) error {
	e := json.NewEncoder(&inert{w})
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

// Plan is the document of `mirror plan`.
type Plan struct {
	Schema  string       `json:"schema"` // mirror.plan/v1
	Release site.ID      `json:"release"`
	Targets []PlanTarget `json:"targets"`
	Order   []PlanStep   `json:"order"`
	Ending
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
	// Foreign is what would be lost although no publish put it there, where the place was
	// never published to. It needs publish --adopt. Its files are in Delete too.
	Foreign []string `json:"foreign"`
	Kept    []string `json:"kept"` // files that are not the release's and stay
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
	Ending
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
	Ending
}

// DemoStep is one step of the story.
type DemoStep struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}
