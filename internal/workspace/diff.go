package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"mirror/internal/builtsite"
	"mirror/internal/compare"
	"mirror/internal/history"
	"mirror/internal/humanize"
	"mirror/internal/origin"
	"mirror/internal/sitediff"
	"mirror/internal/survey"
	"mirror/reports"
	"mirror/site"
)

// DiffOptions say what is compared, and how.
type DiffOptions struct {
	SiteOptions      // of URLs
	Stat        bool // paths and sizes only
	NoOrigins   bool // do not ask the origins what they serve
	MaxPages    int  // of two URLs; 0 for the default
}

// The names of the states that Diff compares unless others are named.
const (
	DiffLive = "live" // the release that most targets serve
	DiffSite = "site" // the site's folder
)

var releasePrefix = regexp.MustCompile(`^[0-9a-fA-F]{1,64}$`)

func isURL(name string) bool { return strings.Contains(name, "://") }

func ofConfig(name string) bool {
	return name == DiffLive || name == DiffSite || releasePrefix.MatchString(name)
}

// DiffNeedsConfig reports whether any of the states is one of those that a config leads to.
func DiffNeedsConfig(names []string) bool {
	return len(names) < 2 || slices.ContainsFunc(names, ofConfig)
}

// Diff compares two states of the site, each a release by the first digits of its ID, DiffLive, DiffSite, a
// built site, or a URL. The document is nil where nothing could be compared.
func (w *Workspace) Diff(ctx context.Context, names []string, o DiffOptions) (*reports.Diff, error) {
	return (&differ{w: w, events: w.options.Events, o: o}).run(ctx, cmp.Or(first(names), DiffLive), cmp.Or(first(names[min(1, len(names)):]), DiffSite))
}

// DiffWithoutConfig is Diff for two states that no config leads to.
func DiffWithoutConfig(ctx context.Context, a, b string, o DiffOptions, events Events) (*reports.Diff, error) {
	return (&differ{events: events, o: o}).run(ctx, a, b)
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// differ compares two states.
type differ struct {
	w      *Workspace // nil without a config
	events Events
	o      DiffOptions
	notes  []string
	unread []sitediff.Unread
	close  []func() error
}

func (d *differ) run(ctx context.Context, a, b string) (*reports.Diff, error) {
	doc, err := d.compare(ctx, a, b)
	for _, end := range d.close {
		err = errors.Join(err, end())
	}
	return doc, err
}

func (d *differ) compare(ctx context.Context, a, b string) (*reports.Diff, error) {
	from, to, err := d.sides(ctx, a, b)
	if err != nil {
		return nil, err
	}
	doc := sitediff.Of(from, to)
	if !d.o.Stat {
		sitediff.AddTexts(ctx, &doc, from, to)
	}
	if d.w != nil && !d.o.NoOrigins && !isURL(a) && !isURL(b) && len(doc.Changes) > 0 {
		sitediff.AddServed(ctx, &doc, from, to, d.w.Origins())
	}
	doc.Notes = d.notes
	if ctx.Err() != nil {
		return &doc, ctx.Err()
	}
	return &doc, d.unreadError()
}

// maxUnread is how many pages an error lists.
const maxUnread = 5

func (d *differ) unreadError() error {
	if len(d.unread) == 0 {
		return nil
	}
	var lines []string
	for _, u := range d.unread[:min(len(d.unread), maxUnread)] {
		lines = append(lines, u.Path+": "+u.Why)
	}
	if len(d.unread) > maxUnread {
		lines = append(lines, "…")
	}
	return fmt.Errorf("%s could not be read and are not compared: %s", humanize.Plural(len(d.unread), "page"), strings.Join(lines, "; "))
}

// sides reads both states. A live site is read at the pages of the other.
func (d *differ) sides(ctx context.Context, a, b string) (from, to sitediff.Side, err error) {
	switch {
	case isURL(a) && isURL(b):
		return d.urls(ctx, a, b)
	case isURL(a):
		if to, err = d.filesOf(ctx, b); err == nil {
			from, to, err = d.url(ctx, a, to)
		}
		return from, to, err
	}
	if from, err = d.filesOf(ctx, a); err != nil {
		return from, to, err
	}
	if isURL(b) {
		to, from, err = d.url(ctx, b, from)
		return from, to, err
	}
	to, err = d.filesOf(ctx, b)
	return from, to, err
}

// filesOf opens a state of which the files are known.
func (d *differ) filesOf(ctx context.Context, name string) (sitediff.Side, error) {
	switch {
	case !ofConfig(name):
		built, err := (&Sites{Events: d.events}).open(ctx, name, BuiltOptions{})
		if errors.Is(err, builtsite.ErrNoSite) {
			return sitediff.Side{}, usage(fmt.Errorf("%q is neither a release nor a site (hint: the first digits of a release's ID, live, site, a folder, an archive, oci:IMAGE or a URL)", name))
		}
		if err != nil {
			return sitediff.Side{}, err
		}
		d.close = append(d.close, built.Close)
		return sitediff.OfRelease(reports.DiffSide{Name: built.From, Kind: "site"}, built.Release), nil
	case name == DiffSite:
		tree, err := d.w.scan(ctx)
		if err != nil {
			return sitediff.Side{}, err
		}
		d.close = append(d.close, tree.Close)
		return sitediff.OfRelease(reports.DiffSide{Name: "built site", Kind: "site"}, tree.Release), nil
	}
	return d.release(ctx, name)
}

// release opens a release that targets hold, or that the history here remembers.
func (d *differ) release(ctx context.Context, name string) (sitediff.Side, error) {
	dests, err := d.w.Destinations(ctx)
	if err != nil {
		return sitediff.Side{}, err
	}
	held, errs := heldBy(ctx, dests)
	for _, err := range errs {
		d.notes = append(d.notes, err.Error())
	}
	if name == DiffLive {
		return d.liveRelease(ctx, held, errs)
	}
	for _, h := range stagedHeld(d.w.waiting(ctx, dests), dests) {
		if !slices.ContainsFunc(held, func(o HeldRelease) bool { return o.Release == h.Release }) {
			held = append(held, h)
		}
	}
	chosen, err := choose(d.w.withRemembered(ctx, held), name)
	if err != nil {
		return sitediff.Side{}, err
	}
	return d.open(ctx, chosen)
}

// liveRelease is the release that most targets serve. Where there is none, nothing is live.
func (d *differ) liveRelease(ctx context.Context, held []HeldRelease, errs heldErrors) (sitediff.Side, error) {
	held = slices.DeleteFunc(held, func(h HeldRelease) bool { return len(h.Live) == 0 })
	if len(held) == 0 && len(errs) > 0 {
		return sitediff.Side{}, errs.join()
	}
	if len(held) == 0 {
		d.notes = append(d.notes, "no release that a publish made is live on any target")
		return sitediff.Side{DiffSide: reports.DiffSide{Name: "nothing", Kind: "nothing"}}, nil
	}
	most := slices.MaxFunc(held, func(a, b HeldRelease) int { return cmp.Compare(len(a.Live), len(b.Live)) })
	for _, h := range held {
		if h.Release != most.Release {
			d.notes = append(d.notes, fmt.Sprintf("release %s is live on %s", h.Release.Short(), strings.Join(h.Live, ", ")))
		}
	}
	return d.open(ctx, most)
}

// RememberedReleases lists the releases that went live from here, the latest first.
func (w *Workspace) RememberedReleases(ctx context.Context) (all []site.Past) {
	err := w.remember(ctx, func(h *history.Store) (err error) {
		all, err = h.Sequence(ctx)
		return err
	})
	if err != nil {
		w.options.Warnings.Add("releases that only the history here knows cannot be named: %v", err)
	}
	return all
}

// withRemembered adds the releases of the history here that no target holds.
func (w *Workspace) withRemembered(ctx context.Context, held []HeldRelease) []HeldRelease {
	for _, p := range w.RememberedReleases(ctx) {
		if !slices.ContainsFunc(held, func(h HeldRelease) bool { return h.Release == p.Release }) {
			held = append(held, HeldRelease{Release: p.Release, Published: p.Published})
		}
	}
	return held
}

// open opens a release: from the targets that hold it, else its list of files.
func (d *differ) open(ctx context.Context, h HeldRelease) (sitediff.Side, error) {
	about := reports.DiffSide{Name: "release " + h.Release.Short(), Kind: "release"}
	if !h.Published.IsZero() {
		about.Published = &h.Published
	}
	restored, err := d.restore(ctx, h)
	if err == nil {
		return sitediff.OfRelease(about, site.NewRelease(restored.manifest, restored, "", h.Published)), nil
	}
	var past site.Past
	found := false
	failed := d.w.remember(ctx, func(store *history.Store) (err error) {
		past, found, err = store.Release(ctx, h.Release)
		return err
	})
	if !found {
		return sitediff.Side{}, errors.Join(err, failed)
	}
	return sitediff.OfRelease(about, site.NewRelease(past.Manifest, nil, "", past.Published)), nil
}

// restore opens a release on the targets, beside other runs from the same state folder.
func (d *differ) restore(ctx context.Context, h HeldRelease) (*restoredSite, error) {
	if len(h.Targets) == 0 {
		return nil, fmt.Errorf("no target holds release %s", h.Release.Short())
	}
	dests, err := d.w.Destinations(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mirror-diff-")
	if err != nil {
		return nil, err
	}
	restored, err := restoreInto(ctx, dir, h, dests)
	if err == nil {
		d.close = append(d.close, restored.Close)
	}
	return restored, err
}

// url reads a live site at the paths of a known state, which it returns without what hosts do not serve.
func (d *differ) url(ctx context.Context, name string, known sitediff.Side) (live, other sitediff.Side, err error) {
	at, err := d.endpoint(name)
	if err != nil {
		return live, known, err
	}
	client := origin.New(at)
	d.close = append(d.close, func() error { client.Close(); return nil })
	if at.Style.NoIndex { // no origin of the config
		clean, _ := survey.CleanURLs(ctx, client, known.Manifest)
		at.Style = site.URLStyle{CleanURLs: clean}
	}
	known.Manifest = slices.DeleteFunc(slices.Clone(known.Manifest), func(f site.File) bool { return slices.Contains(hostFiles(), f.Path) })
	var pages []origin.Page
	for _, f := range known.Manifest {
		pages = append(pages, origin.Page{Path: f.Path, URL: at.Style.URLPath(f.Path)})
	}
	d.notes = append(d.notes, "pages that only "+name+" has are not looked for")
	live, unread, err := sitediff.Live(ctx, client, pages, false)
	d.leaveOut(&known, unread)
	return live, known, err
}

// endpoint is a live site, asked as the config says where that names it.
func (d *differ) endpoint(name string) (origin.Endpoint, error) {
	sites, err := OpenSites([]string{name}, d.o.SiteOptions, d.events)
	if err != nil {
		return origin.Endpoint{}, err
	}
	if d.w != nil {
		for _, at := range d.w.Origins() {
			if at.URL.String() == sites.Origins[0].URL.String() {
				return at, nil
			}
		}
	}
	return sites.Origins[0], nil
}

// leaveOut takes the pages that a live site did not tell out of the other state.
func (d *differ) leaveOut(side *sitediff.Side, unread []sitediff.Unread) {
	d.unread = append(d.unread, unread...)
	gone := map[string]bool{}
	for _, u := range unread {
		gone[u.Path] = true
	}
	side.Manifest = slices.DeleteFunc(slices.Clone(side.Manifest), func(f site.File) bool { return gone[f.Path] })
}

// urls reads two live sites, at the pages that their sitemaps or links lead to.
func (d *differ) urls(ctx context.Context, a, b string) (from, to sitediff.Side, err error) {
	sites, err := OpenSites([]string{a, b}, d.o.SiteOptions, d.events)
	if err != nil {
		return from, to, err
	}
	found, err := compare.Find(ctx, sites.Origins, compare.Search{MaxPages: d.o.MaxPages})
	if err != nil {
		return from, to, err
	}
	if found.Unlisted != nil {
		return from, to, fmt.Errorf("the pages cannot be listed: %w", found.Unlisted)
	}
	d.notes = append(d.notes, found.Notes...)
	d.events.Line("comparing %s, by %s", humanize.Plural(len(found.Paths), "page"), found.From)
	var sides [2]sitediff.Side
	for i, at := range sites.Origins {
		var pages []origin.Page
		for _, path := range found.Paths {
			pages = append(pages, origin.Page{Path: "/" + path, URL: at.Style.URLPath(path)})
		}
		client := origin.New(at)
		d.close = append(d.close, func() error { client.Close(); return nil })
		var unread []sitediff.Unread
		if sides[i], unread, err = sitediff.Live(ctx, client, pages, true); err != nil {
			return from, to, err
		}
		d.unread = append(d.unread, unread...)
	}
	for i := range sides {
		unread := d.unread
		d.unread = nil
		d.leaveOut(&sides[i], unread)
	}
	return sides[0], sides[1], nil
}
