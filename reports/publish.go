package reports

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"mirror/internal/humanize"
	"mirror/site"
)

// PublishSchema names the form of a publish's document.
const PublishSchema = "mirror.publish/v1"

// Publish is the document of `mirror publish`.
type Publish struct {
	Schema   string          `json:"schema"` // mirror.publish/v1
	Outcome  string          `json:"outcome"`
	Release  site.ID         `json:"release"`
	Previous site.ID         `json:"previous"`
	Rollback bool            `json:"rollback,omitempty"` // an earlier release went live again
	Files    int             `json:"files"`
	Bytes    int64           `json:"bytes"`
	Targets  []PublishTarget `json:"targets"`
	Window   *Window         `json:"window,omitempty"` // how the origins turned
	Check    *Check          `json:"check,omitempty"`  // what the origins were last seen to serve
	Purge    []Purge         `json:"purge,omitempty"`  // what was removed from the caches before origins
	// PurgedNow says, where files were to be purged, what each target could not remove.
	PurgedNow []PurgedNow `json:"purged_now,omitempty"`
	Ending
}

// PurgedNow is how files were removed from all that one target keeps.
type PurgedNow struct {
	Target string   `json:"target"`
	Left   []string `json:"left"` // what may have them still
	Error  string   `json:"error"`
}

func (e PurgedNow) text(w io.Writer, s Style) error {
	lines := "purged   " + clean(e.Target) + ": from what is live and staged, and from earlier releases\n"
	if e.Error != "" {
		lines = s.paint(red, "failed") + "   " + clean(e.Target) + ": purge: " + clean(e.Error) + "\n"
	}
	for _, what := range e.Left {
		lines += "         not from here: " + clean(what) + "\n"
	}
	_, err := io.WriteString(w, lines)
	return err
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
	Committed *time.Time `json:"committed"`         // null where nothing was committed
	Rescued   *time.Time `json:"rescued,omitempty"` // when the same content was committed again
	Error     string     `json:"error"`
}

// Text writes the publish for people.
func (p Publish) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	t := s.table(w, "target", "from", "add", "change", "delete", "same", "sent", "stage", "commit", "")
	for _, r := range p.Targets {
		t.row(clean(r.Name), r.From.Short(), strconv.Itoa(r.Add), strconv.Itoa(r.Change), strconv.Itoa(r.Delete),
			strconv.Itoa(r.Same), humanize.Bytes(r.SentBytes), duration(r.Stage), duration(r.Commit), r.state(s, p.Outcome == "staged"))
	}
	if err := t.render(); err != nil {
		return err
	}
	if p.Window != nil {
		if err := p.Window.Text(w, s); err != nil {
			return err
		}
	}
	for _, r := range p.Purge {
		if _, err := fmt.Fprintf(w, "purged   %s: %s\n", clean(r.Origin), r.summary()); err != nil {
			return err
		}
	}
	for _, e := range p.PurgedNow {
		if err := e.text(w, s); err != nil {
			return err
		}
	}
	if p.Check != nil {
		if err := p.Check.Text(w, s); err != nil {
			return err
		}
	}
	if err := p.warn(w, s); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w, p.summary(s)); err != nil {
		return err
	}
	return p.addresses(w)
}

// addresses lists where the release is live.
func (p Publish) addresses(w io.Writer) error {
	if p.Check == nil || p.Outcome != "live" && p.Outcome != "unchanged" {
		return nil
	}
	for _, o := range p.Check.Origins {
		if _, err := fmt.Fprintf(w, "  %s\n", clean(o.URL)); err != nil {
			return err
		}
	}
	return nil
}

func (p Publish) summary(s Style) string {
	release := p.Release.Short()
	switch p.Outcome {
	case "live", "unchanged":
		return s.paint(green, p.good())
	case "staged":
		return s.paint(green, fmt.Sprintf("Release %s is staged on %s; nothing was made live. `mirror publish --release %[1]s` makes it live.", release, humanize.Plural(len(p.Targets), "target")))
	case "diverged":
		return s.paint(red, fmt.Sprintf("Release %s was committed, but not every origin serves it.", release))
	case "rolled_back":
		return s.paint(yellow, "The publish failed and was rolled back: every target holds the release that it held before.")
	case "mixed":
		return s.paint(red, "The publish failed and could not be rolled back everywhere: origins may be mixed.")
	}
	return s.paint(red, "The publish failed; no live origin was changed.")
}

// good says how well a publish ended: what was not verified is not said to be live.
func (p Publish) good() string {
	release := p.Release.Short()
	switch {
	case p.Outcome == "unchanged" && p.Check == nil:
		return fmt.Sprintf("Every target already held release %s; nothing was sent, and no live origin was checked.", release)
	case p.Outcome == "unchanged":
		return fmt.Sprintf("Release %s was already live; nothing was sent.", release)
	case p.Check == nil:
		return fmt.Sprintf("Release %s is committed on %s; no live origin was checked.", release, humanize.Plural(len(p.Targets), "target"))
	}
	return fmt.Sprintf("Release %s is live on %s: %s, %s.", release, humanize.Plural(len(p.Targets), "target"), humanize.Plural(p.Files, "file"), humanize.Bytes(p.Bytes))
}

// state tells what became of one target.
func (r PublishTarget) state(s Style, staged bool) string {
	switch {
	case r.Error != "":
		return s.paint(red, "failed")
	case r.Rescued != nil:
		return s.paint(yellow, "ok, committed twice")
	case r.Committed != nil:
		return s.paint(green, "ok")
	case r.From == r.To && r.Add+r.Change+r.Delete == 0:
		return s.paint(green, "same")
	case staged:
		return s.paint(green, "staged")
	}
	return "not done"
}
