package reports

import (
	"fmt"
	"io"

	"mirror/site"
)

// WithdrawalSchema names the form of the document of a withdrawal.
const WithdrawalSchema = "mirror.withdrawal/v1"

// Withdrawal is the document of `mirror publish --withdraw`.
type Withdrawal struct {
	Schema  string             `json:"schema"` // mirror.withdrawal/v1
	Release site.ID            `json:"release"`
	Targets []WithdrawalTarget `json:"targets"`
	// Jobs of the schedule that name the release still.
	Jobs []string `json:"jobs"`
	Ending
}

// WithdrawalTarget is what became of the release on a target.
type WithdrawalTarget struct {
	Name string `json:"name"`
	// Dropped: the target holds it no longer. A target that drops no releases, or one on which the release was live
	// before, holds it still.
	Dropped bool   `json:"dropped"`
	Error   string `json:"error"`
}

// Text writes what was done.
func (d Withdrawal) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	if _, err := fmt.Fprintf(w, "withdrawn  release %s; mirror publish --release does not make it live any more\n", d.Release.Short()); err != nil {
		return err
	}
	for _, t := range d.Targets {
		what := "dropped"
		switch {
		case t.Error != "":
			what = "failed: " + clean(t.Error)
		case !t.Dropped:
			what = "still holds it, as a release that was live before or because it drops none"
		}
		if _, err := fmt.Fprintf(w, "           %s: %s\n", clean(t.Name), what); err != nil {
			return err
		}
	}
	return d.warn(w, s)
}
