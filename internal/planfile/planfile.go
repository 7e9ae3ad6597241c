// Package planfile reads a plan that `mirror plan --out` wrote, and compares it with the plan that a
// publish has just made. The file may come from a pull request: it decides nothing but whether the
// publish is refused.
package planfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mirror/internal/regular"
	"mirror/reports"
)

// maxBytes bounds a plan's file: the paths of a million files, several times.
const maxBytes = 256 << 20

// Read reads the plan in a file. An error that wraps ErrInvalid says that the file is not a whole plan.
func Read(name string) (reports.Plan, error) {
	text, err := regular.ReadFile(name, maxBytes)
	if err != nil {
		return reports.Plan{}, err
	}
	var p reports.Plan
	err = json.Unmarshal(text, &p)
	if p.Schema != "" && p.Schema != reports.PlanSchema { // the fields of another format may have other types
		return reports.Plan{}, fmt.Errorf("%s: %w: its schema is %s, this version of mirror reads %s (hint: write it with this version: mirror plan --out)", name, ErrInvalid, quoted(p.Schema), reports.PlanSchema)
	}
	if err == nil {
		err = validate(p)
	}
	if err != nil {
		return reports.Plan{}, fmt.Errorf("%s: %w: %w (hint: mirror plan --out %s writes one)", name, ErrInvalid, err, name)
	}
	return p, nil
}

// ErrInvalid is wrapped by the error for a file that is not a whole plan.
var ErrInvalid = errors.New("not a plan that can be carried out")

// validate refuses a plan that could not be made, or that an earlier version of mirror wrote.
func validate(p reports.Plan) error {
	var failed []string
	for _, t := range p.Targets {
		if t.Error != "" {
			failed = append(failed, short(t.Name))
		}
	}
	switch {
	case p.Schema == "":
		return errors.New("it has no schema")
	case len(failed) > 0:
		return fmt.Errorf("it is incomplete: %s failed", strings.Join(failed, ", "))
	case p.Error != "":
		return errors.New("it is incomplete: the plan failed")
	case p.Config == "":
		return errors.New("it does not say with which config it was made")
	case len(p.Targets) == 0:
		return errors.New("it has no targets")
	}
	return nil
}

// shown bounds what an error repeats from a file, in bytes.
const shown = 100

// short shows a text from a file: on one line, with nothing that a terminal or a CI runner acts on.
func short(text string) string {
	if len(text) > shown {
		text = text[:shown] + "…"
	}
	text = strings.ToValidUTF8(text, "?")
	if strings.ContainsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || reports.Hidden(r) }) {
		text = strings.Trim(strconv.QuoteToASCII(text), `"`)
	}
	return text
}

func quoted(text string) string { return `"` + short(text) + `"` }
