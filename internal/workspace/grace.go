package workspace

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/internal/check"
	"mirror/internal/humanize"
	"mirror/targets"
	"mirror/targets/grace"
)

// grace asks all targets which files of earlier releases they serve beside the live one.
func (s *targetSet) grace(ctx context.Context) []grace.List {
	lists := make([]grace.List, len(s.dests))
	s.each(ctx, func(ctx context.Context, i int, dest targets.Destination) (err error) {
		if g, ok := targets.As[targets.Gracer](ctx, dest.Target); ok {
			lists[i], err = g.Grace(ctx)
		}
		return err
	})
	return lists
}

// withGrace has a check not count files that stay served for a while. Where the targets are not asked, the
// config says which they may be.
func (w *Workspace) withGrace(ctx context.Context, look *check.Options, held *targetSet, o CheckOptions) {
	policy := w.Config.GracePolicy()
	if o.LiveOnly {
		if policy.On() {
			keeps := policy.Matcher(look.Manifest)
			look.Absent = slices.DeleteFunc(look.Absent, keeps)
		}
		return
	}
	stays := map[string]bool{}
	for i, l := range held.grace(ctx) {
		for _, e := range l {
			stays[e.Path] = true
			look.OwnFiles = append(look.OwnFiles, e.Path)
		}
		if o.Excerpts && len(l) > 0 {
			held.note(held.dests[i].Name + " also serves " + graceText(l, policy, time.Now()))
		}
	}
	look.Absent = slices.DeleteFunc(look.Absent, func(path string) bool { return stays[path] })
}

// shownInGrace is how many files a note names.
const shownInGrace = 20

// graceText says, for people, which files of earlier releases are served, and until when.
func graceText(l grace.List, p *grace.Policy, now time.Time) string {
	var names []string
	for _, e := range l[:min(len(l), shownInGrace)] {
		names = append(names, fmt.Sprintf("%q (%s)", e.Path, graceUntil(e, p, now)))
	}
	if len(l) > shownInGrace {
		names = append(names, "…")
	}
	what := humanize.Plural(len(l), "file") + " of earlier releases"
	if n := l.Bytes(); n > 0 { // not every target knows
		what += " (" + humanize.Bytes(n) + ")"
	}
	return what + ": " + strings.Join(names, ", ")
}

// graceUntil says how long a file stays.
func graceUntil(e grace.Entry, p *grace.Policy, now time.Time) string {
	if !p.On() || !p.Stays(e, now) {
		return "until the next publish"
	}
	left := p.Releases - e.Releases + 1
	switch until := p.Until(e); {
	case e.Releases <= p.Releases && !until.After(now):
		return fmt.Sprintf("until %s more", humanize.Plural(left, "release"))
	case e.Releases <= p.Releases:
		return fmt.Sprintf("until %s more, at least until %s", humanize.Plural(left, "release"), until.UTC().Format(time.RFC3339))
	default:
		return "until " + until.UTC().Format(time.RFC3339)
	}
}

// warnOfGrace warns of targets that cannot keep what publish.grace asks for.
func (w *Workspace) warnOfGrace(ctx context.Context, dests []targets.Destination) {
	if !w.Config.GracePolicy().On() {
		return
	}
	for _, d := range dests {
		if _, ok := targets.As[targets.Gracer](ctx, d.Target); !ok {
			w.options.Warnings.Add("%s: publish.grace has no effect there: this target keeps no files of earlier releases", d.Name)
		}
	}
}
