package front

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/atomicfile"
	"mirror/internal/front/blobs"
	"mirror/internal/front/upstream"
	"mirror/internal/wait"
	"mirror/site"
)

// hurryFor is for how long beacons are looked at often after a change.
const hurryFor = time.Minute

// sampled is how many changed pages show that an origin holds a release.
const sampled = 6

// Run follows the origins until ctx ends.
func (f *Front) Run(ctx context.Context) {
	var all sync.WaitGroup
	for i := range f.origins.Origins {
		all.Go(func() { f.watch(ctx, i) })
	}
	all.Wait()
}

// watch looks at one origin until ctx ends.
func (f *Front) watch(ctx context.Context, i int) {
	for ctx.Err() == nil {
		f.look(ctx, i)
		looked := time.Now()
		timer := time.NewTimer(f.pause())
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-f.watchers[i]:
		}
		timer.Stop()
		if wait.Sleep(ctx, f.options.Hurry-time.Since(looked)) != nil { // never more often
			return
		}
	}
}

// pause is the time between two looks.
func (f *Front) pause() time.Duration {
	if time.Since(f.began) < time.Duration(f.hurried.Load()) {
		return f.options.Hurry
	}
	return f.options.Poll
}

// hurry has all origins looked at often for a while.
func (f *Front) hurry() {
	f.hurried.Store(int64(time.Since(f.began) + hurryFor))
	for i := range f.watchers {
		f.kick(i)
	}
}

// Hint has all origins looked at often for a while: a publish says that it begins. What it says is not believed.
func (f *Front) Hint() {
	f.counts.hints.Add(1)
	f.hurry()
}

// look asks an origin what it serves, and moves to that where it is time to.
func (f *Front) look(ctx context.Context, i int) {
	o := f.origins.Origins[i]
	b, d := o.Claim(ctx, f.options.Beacon)
	if ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	v := &f.views[i]
	v.asked, v.answers = true, d.Kind == "" || d.Status != 0
	changed := b.Release != v.beacon.Release || b.Sequence != v.beacon.Sequence
	if changed {
		v.held = site.None
	}
	v.beacon = b
	held := v.held
	f.mu.Unlock()
	if b.Release != site.None && held != b.Release && f.verify(ctx, i, b, changed) {
		f.mu.Lock()
		f.views[i].held = b.Release
		f.mu.Unlock()
	}
	f.decide()
	f.judge(ctx, i, d)
	f.explain()
}

// explainAfter is how long a front without a release waits before it says why, and explainAgain how often
// it says so again.
const (
	explainAfter = 5 * time.Second
	explainAgain = 5 * time.Minute
)

// explain says why no release is served yet.
func (f *Front) explain() {
	if f.current.Load() != nil {
		return
	}
	f.mu.Lock()
	due := time.Since(f.began) > explainAfter && (f.explained.IsZero() || time.Since(f.explained) > explainAgain)
	if due {
		f.explained = time.Now()
	}
	var why []string
	for i, v := range f.views {
		why = append(why, f.origins.Origins[i].Name+": "+v.said())
	}
	f.mu.Unlock()
	if due {
		f.tell(Event{Event: Waiting, Detail: fmt.Sprintf("no release is held by %d origins, as front.quorum wants: %s", f.options.Quorum, strings.Join(why, "; "))})
	}
}

// verify reports whether an origin holds the release that it claims: a manifest proves it, and a sample
// of the pages that change is there.
func (f *Front) verify(ctx context.Context, i int, b site.Beacon, changed bool) bool {
	now := f.current.Load()
	if now != nil && now.release == b.Release {
		return true // every body is verified before it is served
	}
	claimed := standing{b.Release, b.Sequence, b.Published}
	if now != nil && !claimed.newer(now.standing) && !f.lost() {
		return false // it would not be served
	}
	e, err := f.prove(ctx, i, b)
	if err != nil {
		f.reportUnproven(ctx, i, b, err)
		return false
	}
	if e == nil {
		return false
	}
	o := f.origins.Origins[i]
	if changed && (now == nil || claimed.newer(now.standing)) {
		f.hurry()
	}
	f.prepare(e, b)
	f.mu.Lock()
	failing := f.views[i].failing
	f.mu.Unlock()
	d, differs := o.Verify(ctx, f.sample(now, e, failing), f.store)
	answered := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.views[i].answered = answered
	f.views[i].failing = ""
	if differs {
		f.counts.wrong.Add(1)
		f.views[i].failing = d.Path
	}
	return !differs
}

// gone reports whether no origin has held the current release for so long that an older one may take its
// place. The caller must hold mu.
func (f *Front) gone() bool { return time.Since(f.heldAt) > f.options.Gone }

// lost reports whether it may soon be gone.
func (f *Front) lost() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.heldAt) > f.options.Gone/2
}

// prove returns the edition that an origin claims; neither that nor an error where the origin has claimed
// another one just now that could not be proved, so that it cannot have manifests looked up all the time.
func (f *Front) prove(ctx context.Context, i int, b site.Beacon) (*edition, error) {
	if e, _ := f.known.get(b.Release); e != nil {
		return e, nil
	}
	f.mu.Lock()
	soon := time.Since(f.views[i].refused) < refusedFor
	f.mu.Unlock()
	if soon {
		return nil, nil //nolint:nilnil // it is asked again soon
	}
	e, err := f.edition(ctx, b)
	if err != nil {
		f.mu.Lock()
		f.views[i].refused = time.Now()
		f.mu.Unlock()
	}
	return e, err
}

// sample lists pages that change with a move, at random, and the one that differed before.
func (f *Front) sample(now, next *edition, first string) []site.File {
	var before site.Manifest
	if now != nil {
		before = now.manifest
	}
	changes := diff.Manifests(before, next.manifest)
	paths := slices.DeleteFunc(slices.Concat(changes.Add, changes.Change), func(path string) bool {
		return f.options.Skip(path) || !cheap(next.pages[path].file)
	})
	rand.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	paths = paths[:min(len(paths), sampled)]
	if next.pages[first] != nil {
		paths = append([]string{first}, paths...)
	}
	var files []site.File
	for _, path := range paths {
		files = append(files, next.pages[path].file)
	}
	return files
}

// cheap reports whether a page is small enough for a sample. Where its size is not known its type decides.
func cheap(file site.File) bool {
	kind := site.ContentType(file.Path, nil)
	text := strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "xml")
	return file.Size <= blobs.Small && (file.Size > 0 || text)
}

// reportUnproven reports a claim that no manifest proves, once.
func (f *Front) reportUnproven(ctx context.Context, i int, b site.Beacon, err error) {
	f.mu.Lock()
	known := f.views[i].unproven == b.Release
	f.views[i].unproven = b.Release
	f.mu.Unlock()
	if !known && ctx.Err() == nil {
		f.tell(Event{Event: Unproven, Origin: f.origins.Origins[i].Name, Release: b.Release, Sequence: b.Sequence, Detail: err.Error()})
	}
}

// decide moves to the release that a quorum of the origins holds. The release is remembered first, so that no
// visitor gets an older one after a restart; where that fails, visitors get it all the same.
func (f *Front) decide() {
	f.deciding.Lock()
	defer f.deciding.Unlock()
	next := f.next()
	if next == nil {
		return
	}
	if err := f.remember(next); err != nil {
		f.options.Log.Warn("the release is not remembered for a restart", "err", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.current.Load(); now != nil && now.release == next.release { // it went live again, with a later place in the order
		f.current.Store(next)
		return
	}
	f.move(next)
}

// remember writes what a restart serves.
func (f *Front) remember(e *edition) error {
	if f.options.Grace.On() {
		if err := atomicfile.WriteFile(f.graceFile(), e.list().Encode(), 0o600); err != nil {
			return err
		}
	}
	return f.kept.Keep(e.record())
}

// prepare writes what a restart serves if the edition that an origin claims is served next: at the move, visitors do not
// wait until the list of a large release is on disk. Where it fails, that of the move says so.
func (f *Front) prepare(e *edition, b site.Beacon) {
	if err := f.kept.Prepare(e.at(standing{b.Release, b.Sequence, b.Published}, b.Rollback).record()); err != nil {
		f.options.Log.Debug("the next release is not remembered yet", "err", err)
	}
}

// next returns the release that a quorum holds; nil where it is served already.
func (f *Front) next() *edition {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.current.Load()
	var at standing
	if now != nil {
		at = now.standing
	}
	claims, answering := make([]claim, len(f.views)), 0
	for i, v := range f.views {
		claims[i] = claim{standing{v.beacon.Release, v.beacon.Sequence, v.beacon.Published}, v.held != site.None}
		if claims[i].release == at.release {
			f.heldAt = time.Now()
		}
		if v.answers || !v.asked {
			answering++
		}
	}
	f.dark.Store(answering == 0)
	to := choose(at, claims, f.options.Quorum, f.gone())
	if to == at {
		return nil
	}
	e, _ := f.known.get(to.release)
	if e == nil { // forgotten since: it is looked up again
		for i := range f.views {
			if f.views[i].held == to.release {
				f.views[i].held = site.None
			}
		}
		return nil
	}
	rollback := slices.ContainsFunc(f.views, func(v view) bool {
		return v.held == to.release && v.beacon.Sequence == to.sequence && v.beacon.Rollback
	})
	e = e.at(to, rollback)
	if now != nil && now.release != to.release {
		e.withGrace(f.options.Grace.Next(now.list(), now.manifest, e.manifest, time.Now(), f.options.Skip))
	} else if now != nil {
		e.beside = now.beside
	}
	return e
}

// judge notes whether an origin serves the release. What is wrong is reported when it was seen twice.
func (f *Front) judge(ctx context.Context, i int, d diff.Difference) {
	o := f.origins.Origins[i]
	now := f.current.Load()
	if now == nil {
		f.note(o, i, d)
		return
	}
	if d.Kind == "" {
		d = f.probe(ctx, o, now)
	}
	f.mu.Lock()
	b := f.views[i].beacon
	f.mu.Unlock()
	if d.Kind == "" && b.Release != now.release && now.newer(standing{b.Release, b.Sequence, b.Published}) {
		d = diff.Difference{Kind: diff.Stale, Path: f.options.Beacon, Detail: "it serves release " + b.Release.Short()}
	}
	f.note(o, i, d)
}

// probe asks an origin whose circuit is open for the page that failed.
func (f *Front) probe(ctx context.Context, o *upstream.Origin, now *edition) diff.Difference {
	if !o.Open() {
		return diff.Difference{}
	}
	find := func(path string) (site.File, bool) {
		p := now.pages[path]
		if p == nil {
			return site.File{}, false
		}
		return p.file, true
	}
	d, closed, _ := o.Probe(ctx, find, f.options.MaxVerified, f.store)
	if closed {
		return diff.Difference{}
	}
	if d.Kind == diff.Altered && f.known.earlier(d.Path, d.Got) {
		d.Kind = diff.Stale
	}
	return d
}

// reportAfter is how long an origin may be in trouble before that is reported: a release that is going
// live, or one lost request, is none.
const reportAfter = 5 * time.Second

// note reports an origin's trouble, and that it is over.
func (f *Front) note(o *upstream.Origin, i int, d diff.Difference) {
	f.mu.Lock()
	v := &f.views[i]
	over := d.Kind == "" && v.reported
	switch {
	case d.Kind == "":
		v.since, v.reported = time.Time{}, false
	case v.since.IsZero() || v.trouble.Kind != d.Kind:
		v.since, v.reported = time.Now(), false
	}
	v.trouble = d
	report := d.Kind != "" && !v.reported && time.Since(v.since) >= reportAfter
	v.reported = v.reported || report
	f.mu.Unlock()
	switch {
	case over:
		f.tell(Event{Event: Recovered, Origin: o.Name})
	case report:
		f.tell(Event{Event: Trouble, Origin: o.Name, Kind: d.Kind, Path: d.Path, Location: d.Location, Detail: d.Detail})
	}
}
