package reports

import (
	"fmt"
	"io"
)

// DemoSchema names the form of the demo's document.
const DemoSchema = "mirror.demo/v1"

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

// Text writes the story's steps for people.
func (d Demo) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	t := s.table(w, "step", "", "what was seen")
	for _, step := range d.Steps {
		mark := s.paint(green, "ok")
		if !step.OK {
			mark = s.paint(red, "failed")
		}
		t.row(step.Name, mark, clean(step.Detail))
	}
	if err := t.render(); err != nil {
		return err
	}
	if err := d.warn(w, s); err != nil {
		return err
	}
	text := s.paint(green, "Every step did what it says.")
	if !d.OK {
		text = s.paint(red, "Some step did not do what it says.")
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
