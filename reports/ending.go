package reports

import (
	"fmt"
	"io"
)

// Ending says how a command ended, beside its result. It stands in every document.
type Ending struct {
	// Error says why there is no result, or not the one that was asked for; "" where there is.
	Error string `json:"error,omitempty"`
	// Warnings lists what failed without changing the outcome: the history could not be
	// written, an old release could not be dropped.
	Warnings []string `json:"warnings,omitempty"`
}

// warn writes a line for each warning.
func (e Ending) warn(w io.Writer, s Style) error {
	for _, warning := range e.Warnings {
		if _, err := fmt.Fprintf(w, "%s  %s\n", s.paint(yellow, "warning"), clean(warning)); err != nil {
			return err
		}
	}
	return nil
}
