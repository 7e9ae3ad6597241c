package reports

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"mirror/site"
)

// ReleasesSchema names the form of a list of releases that targets hold.
const ReleasesSchema = "mirror.releases/v1"

// Releases is the document of `mirror rollback --list`.
type Releases struct {
	Schema   string        `json:"schema"` // mirror.releases/v1
	Releases []HeldRelease `json:"releases"`
	// Staged are the releases that wait to go live: `mirror publish --release` makes one live.
	Staged []StagedRelease `json:"staged"`
	Ending
}

// StagedRelease is a release that is staged to go live later.
type StagedRelease struct {
	Release site.ID   `json:"release"`
	Staged  time.Time `json:"staged"`
	Until   time.Time `json:"until"` // when the targets may drop it
	Files   int       `json:"files"`
	Bytes   int64     `json:"bytes"`
	// Job of the schedule here that makes it live, and when; "" and null for none.
	Job string     `json:"job"`
	Due *time.Time `json:"due"`
}

// GoesLive says, for people, when and by which job the release goes live; "" for by hand.
func (r StagedRelease) GoesLive() string {
	if r.Due == nil {
		return ""
	}
	return r.Due.UTC().Format(time.DateTime) + " by " + r.Job
}

// HeldRelease is a release that targets hold.
type HeldRelease struct {
	Release   site.ID    `json:"release"`
	Published *time.Time `json:"published"` // when it went live last; null where no target tells
	Files     int        `json:"files"`
	Targets   []string   `json:"targets"`          // that can give all of it
	Live      []string   `json:"live"`             // targets on which it is live
	Missing   []string   `json:"missing"`          // targets that do not hold it; they get its content from the others
	Purged    bool       `json:"purged,omitempty"` // files of it were purged: without targets it cannot be restored
	PurgedAt  *time.Time `json:"purged_at,omitempty"`
}

// heldBy names the targets that can give the release.
func (h HeldRelease) heldBy() string {
	if len(h.Targets) == 0 && h.Purged {
		if h.PurgedAt == nil {
			return "none: purged"
		}
		return "none: purged, " + h.PurgedAt.UTC().Format(time.DateOnly)
	}
	return names(h.Targets, len(h.Missing) == 0)
}

// Text writes the list for people.
func (r Releases) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	if len(r.Releases) == 0 {
		if _, err := fmt.Fprintln(w, "No target holds a release."); err != nil {
			return err
		}
		return r.staged(w, s)
	}
	t := s.table(w, "release", "went live (UTC)", "files", "held by", "live on")
	for _, h := range r.Releases {
		at := ""
		if h.Published != nil {
			at = h.Published.UTC().Format(time.DateTime)
		}
		t.row(h.Release.Short(), at, strconv.Itoa(h.Files), h.heldBy(), names(h.Live, len(h.Live) == len(h.Targets)))
	}
	if err := t.render(); err != nil {
		return err
	}
	return r.staged(w, s)
}

// staged lists the releases that wait to go live.
func (r Releases) staged(w io.Writer, s Style) error {
	if len(r.Staged) > 0 {
		t := s.table(w, "staged release", "staged (UTC)", "kept until (UTC)", "files", "goes live (UTC)")
		for _, g := range r.Staged {
			t.row(g.Release.Short(), g.Staged.UTC().Format(time.DateTime), g.Until.UTC().Format(time.DateTime), strconv.Itoa(g.Files), cmp.Or(clean(g.GoesLive()), "by hand"))
		}
		if err := t.render(); err != nil {
			return err
		}
	}
	return r.warn(w, s)
}

// names lists targets.
func names(targets []string, all bool) string {
	if all && len(targets) > 1 {
		return "all"
	}
	list := make([]string, len(targets))
	for i, name := range targets {
		list[i] = clean(name)
	}
	return strings.Join(list, ", ")
}
