package reports

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// NotifySchema names the form of the document of test messages.
const NotifySchema = "mirror.notify/v1"

// NotifyTest is how the test messages came out.
type NotifyTest struct {
	Schema  string         `json:"schema"`
	Results []NotifyResult `json:"results"`
	Ending
}

// OK reports whether every message was taken.
func (t NotifyTest) OK() bool {
	return !slices.ContainsFunc(t.Results, func(r NotifyResult) bool { return !r.OK })
}

// NotifyResult is how one test message came out.
type NotifyResult struct {
	Name    string `json:"name"`
	To      string `json:"to"` // without secrets
	OK      bool   `json:"ok"`
	Error   string `json:"error"`
	Elapsed Millis `json:"elapsed_ms"`
}

// Text writes a line for each place.
func (t NotifyTest) Text(w io.Writer, _ Style) error {
	for _, r := range t.Results {
		state := "told"
		if !r.OK {
			state = "not told: " + r.Error
		}
		if _, err := fmt.Fprintf(w, "%-12s %s  %s (%s)\n", r.Name, r.To, state, time.Duration(r.Elapsed).Round(time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}
