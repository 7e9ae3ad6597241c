package workspace

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"mirror/internal/config"
	"mirror/internal/mixedcontent"
	"mirror/internal/netname"
	"mirror/internal/origin"
	"mirror/internal/publish"
	"mirror/internal/survey"
	"mirror/site"
	"mirror/targets"
)

// lookTimeout bounds how long the one look at an origin may take that a plan has.
const lookTimeout = 10 * time.Second

// lookAtOrigins asks each origin once, at the same time, and warns of what a publish would wait for in
// vain.
func (w *Workspace) lookAtOrigins(ctx context.Context, rel *site.Release, report *publish.Report) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	held := map[string]site.ID{}
	for _, t := range report.Targets {
		held[t.Name] = t.Plan.Live.Release
	}
	origins := w.Origins()
	wrong := make([]string, len(origins))
	var all sync.WaitGroup
	for i, at := range origins {
		all.Go(func() { wrong[i] = w.lookAt(ctx, at, rel, held[at.Name]) })
	}
	all.Wait()
	for i, text := range wrong {
		if text != "" {
			w.options.Warnings.Add("%s: %s", origins[i].Name, text)
		}
	}
}

// lookAt says what is wrong with an origin whose target holds a release, None for none; "" for nothing.
func (w *Workspace) lookAt(ctx context.Context, at origin.Endpoint, rel *site.Release, held site.ID) string {
	at.Timeout = min(at.Timeout, lookTimeout)
	client := origin.New(at)
	defer client.Close()
	page := entrance(rel.Manifest, at.Style)
	if page.BypassCache = at.CDN; page.BypassCache && client.PastCaches() == 0 {
		return "" // a look would leave the page of before the publish in its caches
	}
	o := client.Fetch(ctx, page)
	o.URL, _, _ = strings.Cut(o.URL, "?") // as visitors ask for it
	if o.Status == 0 {
		return fmt.Sprintf("%s cannot be read: %v", o.URL, o.Err)
	}
	a := targets.OriginAnswer{Status: o.Status, Type: o.Header.Get("Content-Type"), NoIndex: at.Style.NoIndex}
	if to, away := origin.Away(o); away {
		a.Location = to
	}
	api := isXML(a.Type) && strings.HasSuffix(page.Path, ".html")
	if o.Status == http.StatusOK && !api {
		return cmp.Or(w.claimsOther(ctx, client, held), w.showsPrivate(ctx, client, held))
	}
	a.Folders = refused(o.Status) && strings.HasSuffix(o.URL, "/") && client.Fetch(ctx, origin.Page{Path: page.Path, URL: page.Path, Size: page.Size, BypassCache: at.CDN}).Status == http.StatusOK
	hint := w.originHint(at.Name, a)
	said := fmt.Sprintf("%s answers %d", o.URL, o.Status)
	switch {
	case a.Location != nil:
		said += fmt.Sprintf(", away to %s://%s", a.Location.Scheme, a.Location.Host)
	case o.Status < 500 && held != site.None:
		said += ", though the target holds release " + held.Short()
	case o.Status < 500 && !(api && hint != ""): // nothing was published yet
		return ""
	}
	if hint != "" {
		said += " (hint: " + hint + ")"
	}
	return said
}

// entrance is the page that visitors come to first: the home page where there is one.
func entrance(m site.Manifest, style site.URLStyle) origin.Page {
	f, ok := m.Find("index.html")
	if !ok {
		f = m[0]
	}
	return origin.Page{Path: f.Path, URL: style.URLPath(f.Path), Size: f.Size}
}

// claimsOther says so where an origin's beacon does not claim what its target holds.
func (w *Workspace) claimsOther(ctx context.Context, client *origin.Client, held site.ID) string {
	if held == site.None || w.beacon() == "" {
		return ""
	}
	ask := survey.Claim
	if client.Endpoint().CDN {
		ask = survey.ClaimPastCaches
	}
	claim := ask(ctx, client, w.beacon()).Release
	if claim == held || ctx.Err() != nil {
		return ""
	}
	said := "claims no release"
	if claim != site.None {
		said = "serves release " + claim.Short()
	}
	at := client.Endpoint()
	hint := cmp.Or(w.originHint(at.Name, targets.OriginAnswer{Status: http.StatusOK, Other: true}), "is this the URL of what the target holds?")
	return fmt.Sprintf("%s %s, though the target holds %s (hint: %s A deployment may also be under way)", at.URL, said, held.Short(), hint)
}

func isXML(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType) // "" where there is none
	return media == "application/xml" || media == "text/xml"
}

// showsPrivate says so where visitors can read what a target keeps for itself. An origin that answers
// every path with the same page has another type.
func (w *Workspace) showsPrivate(ctx context.Context, client *origin.Client, held site.ID) string {
	i := slices.IndexFunc(w.Config.Targets, func(t config.Target) bool { return t.Name == client.Endpoint().Name })
	if i < 0 || held == site.None {
		return ""
	}
	kind, _ := w.options.Kinds.Find(w.Config.Targets[i].Type)
	if kind.Private == nil {
		return ""
	}
	o := client.Fetch(ctx, origin.Page{Path: kind.Private.Path, URL: kind.Private.Path, BypassCache: client.Endpoint().CDN})
	o.URL, _, _ = strings.Cut(o.URL, "?")
	if media, _, _ := mime.ParseMediaType(o.Header.Get("Content-Type")); o.Status != http.StatusOK || media != kind.Private.Type {
		return ""
	}
	return fmt.Sprintf("visitors can read %s, which tells what is published and when (hint: %s)", o.URL, kind.Private.Hint)
}

// warnOfMixedContent tells of http:// resources that the pages load which a publish adds or changes. A site that
// visitors reach by http alone has none that is refused.
func (w *Workspace) warnOfMixedContent(ctx context.Context, rel *site.Release, report *publish.Report) {
	byHTTP := func(at origin.Endpoint) bool {
		return at.URL.Scheme == "http" && !netname.IsLoopback(at.URL.Hostname())
	}
	origins := w.Origins()
	plain := slices.DeleteFunc(slices.Clone(origins), func(at origin.Endpoint) bool { return !byHTTP(at) })
	if report == nil || !rel.Readable() || len(origins) > 0 && len(plain) == len(origins) {
		return
	}
	changed := map[string]bool{}
	for _, t := range report.Targets {
		for _, path := range slices.Concat(t.Plan.Changes.Add, t.Plan.Changes.Contents()) {
			changed[path] = true
		}
	}
	files := map[string]site.File{}
	for _, f := range rel.Manifest {
		if changed[f.Path] {
			files[f.Path] = f
		}
	}
	open := func(path string) (io.ReadCloser, error) { return rel.OpenContext(ctx, files[path]) }
	if text := mixedcontent.ReadPages(ctx, slices.Sorted(maps.Keys(files)), open).String(); text != "" {
		w.options.Warnings.Add("%s", text)
	}
}
