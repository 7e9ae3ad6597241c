// Package reports shows what was found and done: one model a command, and its encoders.
// The JSON forms are a promise to scripts: fields may be added, never renamed or removed.
package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
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

// JSONLine writes one event as a line of JSON.
func JSONLine(w io.Writer, event any) error {
	e := json.NewEncoder(&inert{w})
	e.SetEscapeHTML(false)
	if err := e.Encode(event); err != nil {
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
