package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"mirror/internal/lag"
	"mirror/internal/publish"
	"mirror/internal/staged"
	"mirror/site"
	"mirror/targets"
)

// StagedReleases lists the releases that are staged to go live later, those that were staged last first.
func (w *Workspace) StagedReleases(ctx context.Context) ([]staged.Release, error) {
	dests, err := w.Destinations(ctx)
	if err != nil {
		return nil, err
	}
	return w.waiting(ctx, dests), nil
}

// waiting lists the releases that the targets remember as staged for later.
func (w *Workspace) waiting(ctx context.Context, dests []targets.Destination) []staged.Release {
	book := w.newLagBook(dests)
	book.read(ctx)
	return staged.Waiting(book.record.Staged, time.Now())
}

// stage stores a release on all targets, to go live later, and has them remember that.
func (w *Workspace) stage(ctx context.Context, rel *site.Release, dests []targets.Destination, o publish.Options) (*publish.Report, error) {
	book := w.newLagBook(dests)
	o.Learn = book.expect
	report, err := publish.Stage(ctx, rel, dests, o)
	if err != nil || report.Outcome != publish.Staged {
		return report, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	until := now.Add(w.Config.Publish.StagedFor)
	failed := book.add(ctx, lag.Record{Staged: []staged.Release{{Release: rel.ID(), At: now, Until: until, Files: len(rel.Manifest), Bytes: rel.Manifest.Bytes()}}})
	keeping := 0
	for _, d := range dests {
		err := errors.Join(failed[d.Name], book.silent[d.Name])
		if _, ok := targets.As[targets.Notes](ctx, d.Target); ok && err == nil {
			keeping++
		}
		if err != nil {
			report.Warn("%s does not remember that the release is staged: %v", d.Name, err)
		}
	}
	if keeping == 0 {
		report.Warn("no target remembers that the release is staged: publish it by its whole ID, within %s", targets.StagingGrace)
	}
	w.options.Events.Line("staged   release %s until %s; mirror publish --release %s makes it live", rel.ID(), until.Format(time.DateTime+" UTC"), rel.ID().Short())
	return report, nil
}

// openStaged opens a staged release, from the targets that hold it. A target that has lost it gets its
// content from another one. What is read is kept in the state folder if the caller holds the journal.
func (w *Workspace) openStaged(ctx context.Context, prefix string, dests []targets.Destination, journaled bool) (tree, error) {
	book := w.newLagBook(dests)
	book.read(ctx)
	id, err := chooseStaged(book.record.Staged, prefix)
	if err != nil {
		return tree{}, err
	}
	h := HeldRelease{Release: id}
	for _, d := range dests {
		h.Targets = append(h.Targets, d.Name)
	}
	folder := w.restoreFolder
	if !journaled {
		folder = func() (string, error) { return os.MkdirTemp("", "mirror-staged-") }
	}
	dir, err := folder()
	if err != nil {
		return tree{}, err
	}
	restored, err := restoreInto(ctx, dir, h, dests)
	if err != nil {
		return tree{}, err
	}
	rel := restored.release(w)
	rel.Redirects = destinationsOf(w.redirectsIn(rel.Manifest))
	rel.Rollback = false
	w.options.Events.Line("release  %s, staged: %d files", rel.ID().Short(), len(rel.Manifest))
	return tree{rel, restored.Close}, nil
}

// errWentLive is wrapped by the error for a release that is no longer staged for later.
var errWentLive = errors.New("was staged and has gone live since")

// chooseStaged finds a release by the first digits of its ID. A whole ID needs no record.
func chooseStaged(all []staged.Release, prefix string) (site.ID, error) {
	now := time.Now()
	waiting := staged.Waiting(all, now)
	found := staged.Find(waiting, prefix)
	id, err := site.ParseID(strings.ToLower(prefix))
	switch {
	case len(found) == 1:
		return found[0].Release, nil
	case len(found) > 1:
		return site.None, usage(fmt.Errorf("%s is the beginning of several release IDs (hint: %s)", prefix, stagedNames(found)))
	case withdrawn(staged.Find(staged.Valid(all, now), prefix)):
		return site.None, fmt.Errorf("release %s was withdrawn (hint: mirror publish --stage-only stages the site again)", prefix)
	case len(staged.Find(staged.Valid(all, now), prefix)) > 0:
		return site.None, fmt.Errorf("release %s %w (hint: mirror rollback %s makes it live again)", prefix, errWentLive, prefix)
	case err == nil:
		return id, nil
	}
	return site.None, usage(fmt.Errorf("no release %s is staged (hint: %s; mirror rollback is for releases that were live)", prefix, stagedNames(waiting)))
}

// withdrawn reports whether the last of some entries says that its release was taken back.
func withdrawn(found []staged.Release) bool { return len(found) > 0 && found[0].Withdrawn }

// stagedNames lists staged releases for a hint.
func stagedNames(all []staged.Release) string {
	if len(all) == 0 {
		return "no release is staged; mirror publish --stage-only stages the site"
	}
	var names []string
	for _, r := range all[:min(len(all), maxCandidates)] {
		names = append(names, fmt.Sprintf("%s of %s", r.Release.Short(), r.At.UTC().Format(time.DateTime)))
	}
	return "there are " + strings.Join(names, "; ")
}

// forget notes that a release is no longer staged for later.
func (w *Workspace) forget(ctx context.Context, id site.ID, dests []targets.Destination) {
	book := w.newLagBook(dests)
	book.read(ctx)
	if done := staged.WentLive(book.record.Staged, time.Now(), id); len(done) > 0 {
		book.add(ctx, lag.Record{Staged: done})
	}
}

// stagedHeld lists staged releases as what all targets may hold.
func stagedHeld(all []staged.Release, dests []targets.Destination) (held []HeldRelease) {
	var names []string
	for _, d := range dests {
		names = append(names, d.Name)
	}
	for _, r := range all {
		held = append(held, HeldRelease{Release: r.Release, Files: r.Files, Targets: slices.Clone(names)})
	}
	return held
}
