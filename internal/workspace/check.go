package workspace

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/site"
	"mirror/targets"
)

// Check looks at the live origins and records what it saw.
func (w *Workspace) Check(ctx context.Context, o CheckOptions) (diff.Verdict, error) {
	began := time.Now()
	v, err := w.CheckUnrecorded(ctx, o)
	w.recordCheck(ctx, o.lenient() || o.LiveOnly || len(w.options.Only) > 0, began, v, err)
	return v, err
}

// CheckUnrecorded is Check without the record.
func (w *Workspace) CheckUnrecorded(ctx context.Context, o CheckOptions) (diff.Verdict, error) {
	w.renewUniques()
	if len(w.Origins()) == 0 {
		return diff.Verdict{}, usage(fmt.Errorf("%s: no target has an origin, so there is nothing to look at (hint: add origin: {url: …})", w.Config.File))
	}
	held := &targetSet{}
	if !o.LiveOnly {
		held = w.targetSet(ctx)
	}
	rel, done, err := w.baseline(ctx, held)
	if err != nil {
		return diff.Verdict{}, err
	}
	defer done()
	if o.Published {
		rel = w.published(ctx, rel)
	}
	look, err := w.inquiry(ctx, rel, held, o)
	if err != nil {
		return diff.Verdict{}, err
	}
	verdict, err := w.look(ctx, look, o.Wait)
	if err != nil {
		return diff.Verdict{}, err
	}
	tolerance := o.Tolerance
	tolerance.Since = w.liveFor(ctx, verdict)
	verdict.Tolerate(tolerance)
	verdict.Notes = append(append(verdict.Notes, held.notes...), w.originNotes(ctx, verdict)...)
	w.askPublicPlaces(ctx, &verdict)
	return verdict, nil
}

// inquiry says what a check looks for: more than a publish, which knows what it did.
func (w *Workspace) inquiry(ctx context.Context, rel *site.Release, held *targetSet, o CheckOptions) (check.Options, error) {
	absent := append(w.removed(ctx, rel.Manifest), held.extra(ctx, rel)...)
	if len(absent) == 0 && rel.Readable() {
		absent = held.removed(ctx, rel.Manifest)
	}
	if o.LiveOnly && !w.remembersAny(ctx) {
		held.note("pages that were removed in earlier releases are not looked for: nothing is remembered here (hint: without --live-only the targets are asked)")
	}
	slices.Sort(absent)
	look := w.lookFor(rel, slices.Compact(absent))
	look.Past, look.Whole = []check.PastFunc{w.remembered(), held.past}, w.whole(held)
	look.Sample, look.Learn, look.Excerpts = o.Sample, o.Learn, o.Excerpts
	if o.TrustETag {
		look.Validators = w.validators(ctx)
	}
	expected, err := w.expectedHeaders()
	look.Headers = check.Headers{Names: w.Config.Check.Headers, Expected: expected}
	w.withGrace(ctx, &look, held, o)
	return look, err
}

// lookFor says what a check of a release looks for. absent are paths that it does not have
// and that may be live all the same; what the config keeps is not looked for.
func (w *Workspace) lookFor(rel *site.Release, absent []string) check.Options {
	absent = slices.DeleteFunc(slices.Clone(absent), targets.Keep(w.Config.KeptPaths()).Match)
	o := check.Options{
		Release: rel.ID(), Manifest: rel.Manifest, BeaconPath: w.beacon(), NotFound: w.Config.Site.NotFound,
		Absent: absent, OwnFiles: w.ownFiles(), Ignore: w.Config.Check.Ignore, Progress: w.options.Events.Checking, Waiting: w.options.Events.Waiting,
	}
	o.Redirects = locations(w.redirectsIn(rel.Manifest))
	for _, n := range w.Config.Check.Normalize {
		o.Normalize = append(o.Normalize, check.Rule{Match: n.Match, Remove: n.Remove})
	}
	if rel.Readable() {
		o.Open = rel.ReadFile
	}
	return o
}
