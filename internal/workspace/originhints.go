package workspace

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/config"
	"mirror/internal/netname"
	"mirror/internal/origin"
	"mirror/targets"
)

// naming bounds how long a publish asks which release it is that an origin still serves.
const naming = 10 * time.Second

// originNotes says of each origin that a check found wrong as a whole what in the config is likely
// the mistake, a line each.
func (w *Workspace) originNotes(ctx context.Context, v diff.Verdict) []string {
	ctx, cancel := context.WithTimeout(ctx, naming)
	defer cancel()
	var notes []string
	for _, o := range v.Origins {
		a, ok := answerOf(o)
		if !ok {
			continue
		}
		all := w.Origins()
		if i := slices.IndexFunc(all, func(at origin.Endpoint) bool { return at.Name == o.Name }); i >= 0 {
			a.NoIndex = all[i].Style.NoIndex
			if a.Location == nil && refused(a.Status) && !a.Folders {
				a.Type = typeOf(ctx, all[i])
			}
		}
		if hint := w.originHint(o.Name, a); hint != "" {
			notes = append(notes, fmt.Sprintf("%s: %s (hint: %s)", o.Name, described(a), hint))
		}
	}
	return notes
}

// typeOf asks an origin for the type in which it answers for its home page, "" where it does not.
func typeOf(ctx context.Context, at origin.Endpoint) string {
	client := origin.New(at)
	defer client.Close()
	return client.Fetch(ctx, origin.Page{Path: "index.html", URL: at.Style.URLPath("index.html")}).Header.Get("Content-Type")
}

// answerOf is how an origin answers for every page, or for every folder, in place of the release.
func answerOf(o diff.OriginVerdict) (a targets.OriginAnswer, ok bool) {
	if o.Err != nil || len(o.Differences) == 0 {
		return a, false
	}
	first := o.Differences[0]
	same := func(d diff.Difference) bool { return d.Status == first.Status && d.Kind == first.Kind }
	folder := func(d diff.Difference) bool { return refused(d.Status) && strings.HasSuffix(d.URL, "/") }
	a = targets.OriginAnswer{Status: first.Status, Location: awayOf(first)}
	onPages := slices.DeleteFunc(slices.Clone(o.Differences), func(d diff.Difference) bool { return d.Want.IsZero() && d.Path != "*" })
	switch {
	case o.Match == 0 && !slices.ContainsFunc(onPages, func(d diff.Difference) bool { return !same(d) }):
		a.Other = first.Kind == diff.Altered && first.Status == http.StatusOK
		return a, a.Location != nil || refused(a.Status) || a.Other
	case o.Match > 0 && len(onPages) > 0 && !slices.ContainsFunc(onPages, func(d diff.Difference) bool { return !folder(d) }):
		a.Folders = true
		return a, true
	}
	return a, false
}

func refused(status int) bool { return status == http.StatusForbidden || status == http.StatusNotFound }

// awayOf is where a difference sends visitors, if that is another host or scheme; nil for nowhere.
func awayOf(d diff.Difference) *url.URL {
	from, err := url.Parse(d.URL)
	if err != nil || d.Location == "" {
		return nil
	}
	to, err := from.Parse(d.Location)
	if err != nil || to.Scheme == from.Scheme && to.Port() == from.Port() && netname.Same(to.Hostname(), from.Hostname()) {
		return nil
	}
	return to
}

// originHint is what the target's kind knows of such an answer, else what is known of any origin; ""
// for nothing.
func (w *Workspace) originHint(name string, a targets.OriginAnswer) string {
	own := ""
	if i := slices.IndexFunc(w.Config.Targets, func(t config.Target) bool { return t.Name == name }); i >= 0 {
		t := w.Config.Targets[i]
		if kind, _ := w.options.Kinds.Find(t.Type); kind.OriginHint != nil {
			own = kind.OriginHint(t.Decode, a)
		}
	}
	switch {
	case own != "":
		return own
	case a.Location != nil:
		return fmt.Sprintf("if %s serves this site, set origin.url to a URL there", a.Location.Host)
	case a.Folders:
		return "if it serves no index.html for a folder, set origin.index to false"
	}
	return ""
}

// described tells of an answer.
func described(a targets.OriginAnswer) string {
	switch {
	case a.Location != nil:
		return fmt.Sprintf("every page is answered %d, away to %s://%s", a.Status, a.Location.Scheme, a.Location.Host)
	case a.Folders:
		return fmt.Sprintf("every URL that ends in a slash is answered %d", a.Status)
	case a.Other:
		return "no page is that of the release or of one before"
	}
	return fmt.Sprintf("every page is answered %d", a.Status)
}
