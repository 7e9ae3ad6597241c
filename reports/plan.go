package reports

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mirror/internal/humanize"
	"mirror/site"
)

// PlanSchema names the form of a plan's document.
const PlanSchema = "mirror.plan/v1"

// Plan is the document of `mirror plan`.
type Plan struct {
	Schema  string       `json:"schema"` // mirror.plan/v1
	Release site.ID      `json:"release"`
	Targets []PlanTarget `json:"targets"`
	Order   []PlanStep   `json:"order"`
	Config  string       `json:"config"` // SHA-256 of the config's text
	// Content has the SHA-256 of each file that any target adds or changes, in a plan that is written to a
	// file.
	Content map[string]string `json:"content,omitempty"`
	// File is where the plan was written to, "" for nowhere.
	File string `json:"-"`
	// Staged says that the release is one that the targets hold, and not the site.
	Staged bool `json:"-"`
	// Diffs is how the content of changed files differs from what is live, where that was asked for.
	Diffs []PlanDiff `json:"diffs,omitempty"`
	// Undiffed is how many changed files are not in Diffs although they were asked for.
	Undiffed int `json:"undiffed,omitempty"`
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
	Name string  `json:"name"`
	Type string  `json:"type"`
	From site.ID `json:"from"`
	// Revision is the target's own name for what is live, "" where nothing is. Place is the same for all
	// targets that write to the same place, and for no others.
	Revision string   `json:"revision"`
	Place    string   `json:"place"`
	Add      []string `json:"add"`
	Change   []string `json:"change"`
	Delete   []string `json:"delete"`
	Same     int      `json:"same"`
	Bytes    int64    `json:"bytes"`
	Error    string   `json:"error"`
	// Foreign is what would be lost although no publish put it there, where the place was
	// never published to. It needs publish --adopt. Its files are in Delete too.
	Foreign []string `json:"foreign"`
	Kept    []string `json:"kept"` // files that are not the release's and stay
	// Metadata lists those of Change whose content is the same.
	Metadata []PlanMetadata `json:"metadata"`
}

// PlanMetadata is a file of which only a header or the mode changes.
type PlanMetadata struct {
	Path   string `json:"path"`
	Detail string `json:"detail"` // such as "cache-control: none → max-age=60", "" where it is not known
}

// content lists the paths whose content changes.
func (r PlanTarget) content() []string {
	var same []string
	for _, m := range r.Metadata {
		same = append(same, m.Path)
	}
	slices.Sort(same)
	return without(r.Change, same)
}

// maxPaths is how many lines of a kind a plan's text has without --all.
const maxPaths = 20

// Text writes the plan for people.
func (p Plan) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	if err := p.table(w, s); err != nil {
		return err
	}
	p.lists(w, s)
	p.writeDiffs(w, s)
	for _, r := range p.Targets {
		if len(r.Foreign) > 0 {
			fmt.Fprintf(w, "%s %s: no publish has used this place before, and it holds other files (!), which would be deleted: publish asks, or needs --adopt; max_delete does not count them.\n",
				s.paint(red, "!"), clean(r.Name))
		}
	}
	for i, step := range p.Order {
		fmt.Fprintf(w, "%d. commit %s%s: %s\n", i+1, clean(step.Name), step.when(), step.Reason)
	}
	if err := p.warn(w, s); err != nil {
		return err
	}
	var failed []string
	for _, r := range p.Targets {
		if r.Error != "" {
			failed = append(failed, clean(r.Name))
		}
	}
	if len(failed) > 0 {
		_, err := fmt.Fprintf(w, "%s\n", s.paint(red, "The plan is incomplete: "+strings.Join(failed, ", ")+" failed. Nothing was changed."))
		return err
	}
	if !p.Changes() {
		_, err := fmt.Fprintf(w, "No changes. Every target holds release %s.\n", p.Release.Short())
		return err
	}
	publish := "mirror publish"
	if p.Staged {
		publish += " --release " + p.Release.Short()
	}
	if p.File != "" {
		publish += " --plan " + clean(p.File)
	}
	next := fmt.Sprintf("`%s` carries it out", publish)
	if slices.ContainsFunc(p.Targets, func(r PlanTarget) bool { return len(r.Foreign) > 0 }) {
		next = fmt.Sprintf("`%s` asks first on a terminal; without one use `%[1]s --adopt`", publish)
	}
	_, err := fmt.Fprintf(w, "Release %s. Nothing was changed; %s.\n", p.Release.Short(), next)
	return err
}

// table shows the numbers of each target. Changes of metadata have a column where there are any.
func (p Plan) table(w io.Writer, s Style) error {
	header := []string{"target", "live", "add", "change", "metadata", "delete", "same", "to send"}
	column := slices.Index(header, "metadata")
	if slices.ContainsFunc(p.Targets, func(r PlanTarget) bool { return len(r.Metadata) > 0 }) {
		column = len(header)
	}
	shown := func(cells ...string) []string {
		if column < len(cells) {
			cells = slices.Delete(cells, column, column+1)
		}
		return cells
	}
	t := s.table(w, shown(slices.Clone(header)...)...)
	for _, r := range p.Targets {
		if r.Error != "" && !r.Planned() {
			t.row(shown(clean(r.Name), s.paint(red, "failed"), "?", "?", "?", "?", "?", "?")...)
			continue
		}
		live := r.From.Short()
		if r.Error != "" {
			live = s.paint(red, "refused")
		}
		t.row(shown(clean(r.Name), live, strconv.Itoa(len(r.Add)), strconv.Itoa(len(r.Change)-len(r.Metadata)), strconv.Itoa(len(r.Metadata)),
			strconv.Itoa(len(r.Delete)), strconv.Itoa(r.Same), humanize.Bytes(r.Bytes))...)
	}
	return t.render()
}

// lists shows the paths, each with its mark.
func (p Plan) lists(w io.Writer, s Style) {
	plain := func(of func(PlanTarget) []string) func(PlanTarget) []PlanMetadata {
		return func(r PlanTarget) (all []PlanMetadata) {
			for _, path := range of(r) {
				all = append(all, PlanMetadata{Path: path})
			}
			return all
		}
	}
	p.list(w, s, s.paint(red, "!"), plain(func(r PlanTarget) []string { return r.Foreign }))
	p.list(w, s, s.paint(red, "-"), plain(func(r PlanTarget) []string { return without(r.Delete, r.Foreign) }))
	p.list(w, s, s.paint(yellow, "~"), plain(PlanTarget.content))
	p.list(w, s, s.paint(yellow, "m"), func(r PlanTarget) []PlanMetadata { return r.Metadata })
	p.list(w, s, s.paint(green, "+"), plain(func(r PlanTarget) []string { return r.Add }))
	p.list(w, s, "=", plain(func(r PlanTarget) []string { return r.Kept }))
}

// Changes reports whether a publish would change anything.
func (p Plan) Changes() bool {
	return slices.ContainsFunc(p.Targets, func(r PlanTarget) bool {
		return len(r.Add)+len(r.Change)+len(r.Delete) > 0 || r.From != p.Release
	})
}

// Planned reports whether the target said what would change: an error is then a refusal of that.
func (r PlanTarget) Planned() bool {
	return len(r.Add)+len(r.Change)+len(r.Delete)+r.Same > 0
}

func (s PlanStep) when() string {
	switch {
	case s.Barrier:
		return " behind the barrier"
	case s.After > 0:
		return " after " + duration(s.After)
	}
	return ""
}

// without returns the paths that are not in others, which is sorted.
func without(paths, others []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		_, found := slices.BinarySearch(others, path)
		return found
	})
}

// pathLine is a line of a plan: a path, or a folder of many, with what changes there and the targets
// behind it.
type pathLine struct{ path, detail, targets string }

// list shows the paths that any target has, each once with the targets behind it.
func (p Plan) list(w io.Writer, s Style, mark string, of func(PlanTarget) []PlanMetadata) {
	lines := p.linesOf(of)
	many := map[pathLine]int{} // by folder
	for _, l := range lines {
		many[l.group()]++
	}
	shown, hidden := map[pathLine]bool{}, 0
	for _, l := range lines {
		group := l.group()
		n := many[group]
		switch fold := !s.All && group.path != "" && n >= foldFrom; {
		case fold && shown[group]:
		case !s.All && len(shown) >= maxPaths:
			hidden++
		case fold:
			shown[group] = true
			fmt.Fprintf(w, "%s %s/**  %s%s%s\n", mark, clean(group.path), humanize.Plural(n, "path"), l.detail, l.targets)
		default:
			shown[l] = true
			fmt.Fprintf(w, "%s %s%s%s\n", mark, clean(l.path), l.detail, l.targets)
		}
	}
	if hidden > 0 {
		fmt.Fprintf(w, "%s … and %d more (--all lists every one)\n", mark, hidden)
	}
}

// linesOf lists the paths in their order, each once for every detail.
func (p Plan) linesOf(of func(PlanTarget) []PlanMetadata) []pathLine {
	behind := map[PlanMetadata][]string{}
	for _, r := range p.Targets {
		for _, m := range of(r) {
			behind[m] = append(behind[m], clean(r.Name))
		}
	}
	ordered := slices.SortedFunc(maps.Keys(behind), func(a, b PlanMetadata) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Detail, b.Detail))
	})
	var lines []pathLine
	for _, m := range ordered {
		line := pathLine{path: m.Path}
		if m.Detail != "" {
			line.detail = "  " + clean(clip(m.Detail, maxDetail))
		}
		if len(p.Targets) > 1 {
			line.targets = "  on " + strings.Join(behind[m], ", ")
		}
		lines = append(lines, line)
	}
	return lines
}

// maxDetail bounds what changes in the metadata of a file, in characters.
const maxDetail = 200

// group is the folder with what its lines have in common.
func (l pathLine) group() pathLine { return pathLine{folder(l.path), l.detail, l.targets} }
