package reports

import (
	"fmt"
	"io"
)

// DraftSchema names the form of the document of a config that was written.
const DraftSchema = "mirror.init/v1"

// Draft is the document of `mirror init`.
type Draft struct {
	Schema    string   `json:"schema"` // mirror.init/v1
	File      string   `json:"file"`
	Generator string   `json:"generator"` // "" for none that is known
	Dir       string   `json:"dir"`       // of the site, "" where it is to be filled in
	Build     string   `json:"build"`
	Notes     []string `json:"notes"`
	Said      string   `json:"said"` // what was done and what to do next, for people
}

// Text writes what was done.
func (d Draft) Text(w io.Writer, _ Style) error {
	for _, note := range d.Notes {
		if _, err := fmt.Fprintf(w, "note     %s\n", clean(note)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, clean(d.Said))
	return err
}
