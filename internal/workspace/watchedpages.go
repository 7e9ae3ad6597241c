package workspace

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/publish"
	"mirror/internal/vantage/windows"
	"mirror/internal/wait"
	"mirror/internal/watch"
	"mirror/site"
	"mirror/targets"
)

// watchedPages is how many changed pages a publish watches at most, evenly spread over the
// change: at the usual rate that is one look at each a second. All pages are looked at
// once more at the end.
const watchedPages = 200

// watcher watches the live origins for a publish.
type watcher struct {
	w        *Workspace
	atomic   []string      // destinations that turn all at once
	patience time.Duration // for the answers of before the publish
	caches   *caches       // before the origins; nil for none
}

// Watch finds out what is live at the pages that change, and begins.
func (v watcher) Watch(ctx context.Context, rel *site.Release, plans map[string]targets.Plan) (publish.ActiveWatch, error) {
	origins := v.w.Origins()
	before := v.w.manifestsOf(ctx, plans)
	own, skip := map[string][]string{}, v.w.unwatchable(rel.Manifest)
	for _, at := range origins {
		if _, isTarget := plans[at.Name]; !isTarget {
			continue
		}
		own[at.Name] = watchable(rel.Manifest, at.Style, plans[at.Name].Changes, v.w.ownFiles(), skip)
	}
	every := union(own)
	for _, at := range origins {
		if _, isTarget := plans[at.Name]; !isTarget { // it builds the site itself, so that it may lack whatever changes
			own[at.Name] = watchableAt(rel.Manifest, at.Style, every)
		}
	}
	o := watch.Options{GiveUp: true, Own: own, Release: rel.ID(), Manifest: rel.Manifest, BeaconPath: v.w.beacon(), Atomic: v.atomic, Patience: v.patience}
	o.Changes, o.Earlier = changesOf(rel.Manifest, own, before)
	joint, err := v.baselineFrom(ctx, origins, o)
	if err != nil {
		return nil, err
	}
	return activeWatch{Joint: joint, origins: origins, w: v.w}, nil
}

// watchable lists the pages that a target's change gives other bytes at its origin, as many as are
// watched: without removed ones that are a target's own and stay, or whose URL another page has taken.
func watchable(m site.Manifest, style site.URLStyle, c diff.Changes, ownFiles []string, skip func(site.File) bool) []string {
	stays := func(path string) bool {
		_, taken := diff.Removed{Path: path, Release: m, Style: style}.Replaced()
		return taken || slices.Contains(ownFiles, path)
	}
	return spread(slices.DeleteFunc(c.Bytes(), func(path string) bool {
		f, ok := m.Find(path)
		return !ok && stays(path) || skip(site.File{Path: path, Size: f.Size})
	}), watchedPages)
}

// watchableAt lists those of the watched pages that can be told apart at an origin of that style.
func watchableAt(m site.Manifest, style site.URLStyle, paths []string) []string {
	return spread(slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		_, taken := diff.Removed{Path: path, Release: m, Style: style}.Replaced()
		return taken
	}), watchedPages)
}

// changesOf lists what changes at any origin, and the other bytes that the releases before
// had there.
func changesOf(m site.Manifest, own map[string][]string, before []site.Manifest) (changes []diff.Change, earlier map[string][]site.Digest) {
	earlier = map[string][]site.Digest{}
	for _, path := range union(own) {
		next, _ := m.Find(path) // zero where it is deleted
		c := diff.Change{Path: path, New: next.Digest}
		for _, old := range before {
			f, ok := old.Find(path)
			switch {
			case !ok || f.Digest == c.New: // one of the targets is on the release already
			case c.Old.IsZero():
				c.Old = f.Digest
			default:
				earlier[path] = append(earlier[path], f.Digest)
			}
		}
		changes = append(changes, c)
	}
	return changes, earlier
}

func union(lists map[string][]string) []string {
	var all []string
	for _, paths := range lists {
		all = append(all, paths...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// largestWatched is the size of the largest file that is asked for again and again.
const largestWatched = 256 << 10

// unwatchable returns what reports whether a file of a release cannot be watched by its bytes, or is too large to
// be asked for so often.
func (w *Workspace) unwatchable(m site.Manifest) func(f site.File) bool {
	redirects := w.redirectsIn(m) // some origins answer with the redirect itself
	return func(f site.File) bool {
		_, redirect := redirects[f.Path]
		return redirect || f.Size > largestWatched || w.Config.Alterable(f.Path)
	}
}

// spread picks at most n of the paths, evenly.
func spread(paths []string, n int) []string {
	if len(paths) <= n {
		return paths
	}
	picked := make([]string, n)
	for i := range picked {
		picked[i] = paths[i*len(paths)/n]
	}
	return picked
}

// activeWatch is a watch of a publish.
type activeWatch struct {
	*windows.Joint
	origins []origin.Endpoint
	w       *Workspace
}

// Await waits for those of the named destinations that have an origin.
func (s activeWatch) Await(ctx context.Context, names []string) []string {
	defer s.tell(ctx)()
	return s.Joint.Await(ctx, slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(s.names(), name) }))
}

// Settle waits for all and ends the watch.
func (s activeWatch) Settle(ctx context.Context) diff.Window {
	stop := s.tell(ctx)
	s.Joint.Settle(ctx, s.names())
	stop()
	window := s.Stop(ctx)
	for _, note := range windows.Notes(window) {
		s.w.options.Warnings.Add("%s", note)
	}
	return window
}

// tell says who is waited for and why, soon and then now and again, until stop is called. An origin
// that is not waited for any longer is told once.
func (s activeWatch) tell(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended, told := make(chan struct{}), map[string]bool{}
	say := func(waiting bool) {
		for _, at := range s.Progress() {
			if !at.Settled && !told[at.Name] && (waiting || at.Hopeless) {
				s.w.options.Events.Line("  %s", waitingLine(at))
				told[at.Name] = at.Hopeless
			}
		}
	}
	go func() {
		defer close(ended)
		for pause := sayFirst; wait.Sleep(ctx, pause) == nil; pause = sayWaiting {
			say(true)
		}
	}()
	return func() {
		cancel()
		<-ended
		say(false)
	}
}

// waitingLine says why an origin is waited for, or is not any longer.
func waitingLine(at watch.Progress) string {
	fresh := fmt.Sprintf("%d of %d watched pages are new", at.New, at.All)
	switch {
	case at.Hopeless:
		return fmt.Sprintf("not waiting for %s any longer: %s", at.Name, at.Trouble)
	case at.Trouble == "":
		return fmt.Sprintf("still waiting for %s: %s", at.Name, fresh)
	}
	return fmt.Sprintf("still waiting for %s: %s; %s", at.Name, at.Trouble, fresh)
}

func (s activeWatch) names() []string {
	var names []string
	for _, at := range s.origins {
		names = append(names, at.Name)
	}
	return names
}

// baselineFrom finds out what is live, here and at the places, and begins to watch.
func (v watcher) baselineFrom(ctx context.Context, origins []origin.Endpoint, o watch.Options) (*windows.Joint, error) {
	patience := min(v.patience, agentsWithin)
	agents, notes := v.w.watchers(ctx)
	for _, note := range notes {
		v.w.options.Warnings.Add("%s", note)
	}
	here, session, err := v.w.beginAt(ctx, agents, origins, o, windows.BeginOptions{Baseline: true, Patience: patience, Limit: 4*v.patience + time.Minute})
	if err != nil {
		v.w.options.Warnings.Add("the window is watched from this machine alone: %v", err)
	}
	o, err = watch.Baseline(ctx, here, o)
	if err == nil && session != nil {
		ready, done := context.WithTimeout(ctx, patience+readyWithin)
		session.Ready(ready)
		done()
		err = ctx.Err()
	}
	if err != nil {
		if session != nil {
			session.Close()
		}
		return nil, err
	}
	o.Began, o.Cached = time.Now(), v.caches.watched()
	return &windows.Joint{Session: session, Began: o.Began, Barrier: v.w.Config.Vantages.Barrier, Watch: watch.Start(ctx, here, o)}, nil
}
