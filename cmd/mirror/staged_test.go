package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/internal/planfile"
	"mirror/internal/publish"
	"mirror/internal/workspace"
	"mirror/reports"
	"mirror/targets"
)

// stage does what `mirror publish` does with the options.
func (r *trial) stage(o workspace.PublishOptions) (report *publish.Report, err error) {
	o.VerifyTimeout = time.Minute
	err = r.app.inWorkspace(func(w *workspace.Workspace) (err error) {
		report, err = w.Publish(r.t.Context(), o)
		return err
	})
	return report, err
}

// prune has every target of the lab drop what it may, as long after as it takes. It returns the names of
// those that hold the release then.
func (r *trial) prune(of *publish.Report, keep targets.Retention, only ...string) (holding []string) {
	r.t.Helper()
	keep.Keep, keep.Grace = 2, -1
	err := r.app.inWorkspace(func(w *workspace.Workspace) error {
		dests, err := w.Destinations(r.t.Context())
		for _, d := range dests {
			if len(only) == 0 || only[0] == d.Name {
				err = errors.Join(err, d.Target.(targets.Pruner).Prune(r.t.Context(), keep))
			}
			held, failed := d.Target.(targets.Restorer).Restore(r.t.Context(), of.Release)
			switch {
			case failed == nil && held.Manifest().ID() == of.Release:
				holding = append(holding, d.Name)
				err = errors.Join(err, held.Close())
			case !errors.Is(failed, targets.ErrNotHeld):
				err = errors.Join(err, failed)
			}
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return holding
}

// plan does what `mirror plan` does.
func (r *trial) plan(release string) (doc reports.Plan) {
	r.t.Helper()
	err := r.app.inWorkspace(func(w *workspace.Workspace) error {
		p, err := w.PlanPublish(r.t.Context(), workspace.PlanOptions{Digests: true, Release: release})
		if err == nil {
			doc = *p
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return doc
}

// TestStagedReleasesGoLiveLater stages a release on every kind of target of the lab, publishes others, has the
// targets drop what they may, and has the staged one go live from a machine that knows nothing.
func TestStagedReleasesGoLiveLater(t *testing.T) {
	longtest.Skip(t, "publishes often")
	t.Parallel()
	r := newTrial(t)
	r.configure("check:\n", "publish: {max_delete: 100%, keep_releases: 2}\ncheck:\n")
	r.write(map[string]string{"index.html": "one", "404.html": "not here", "same.html": "same"})
	if p, err := r.stage(workspace.PublishOptions{StageOnly: true}); err != nil || p.Outcome != publish.Staged {
		t.Fatalf("a first release is not staged: %+v, %v", p, err)
	}
	for _, o := range r.lab.Origins() {
		if text, err := get(o.URL, "same.html"); err != nil || text != "" {
			t.Errorf("%s shows what is only staged: %q, %v", o.Name, text, err)
		}
	}
	first := r.publish(publish.Auto)
	r.write(map[string]string{"index.html": "embargoed", "404.html": "not here", "same.html": "same", "news/index.html": "news"})
	reviewed := r.plan("")
	staged, err := r.stage(workspace.PublishOptions{StageOnly: true})
	if err != nil || staged.Outcome != publish.Staged || len(staged.Warnings) > 0 {
		t.Fatalf("got %+v, %v", staged, err)
	}
	again, err := r.stage(workspace.PublishOptions{StageOnly: true})
	if err != nil || again.Outcome != publish.Staged {
		t.Fatalf("staged again: got %+v, %v", again, err)
	}
	for _, target := range again.Targets {
		if target.Plan.Live.Release != first.Release {
			t.Errorf("%s: %s is live", target.Name, target.Plan.Live.Release.Short())
		}
	}
	r.app.stateDir = filepath.Join(t.TempDir(), "another")
	if err := planfile.Compare(reviewed, r.plan(string(staged.Release[:8])), planfile.Options{}); err != nil {
		t.Errorf("staging changes the plan: %v", err)
	}
	for _, text := range []string{"two", "three", "four"} {
		r.write(map[string]string{"index.html": text, "404.html": "not here"})
		r.publish(publish.Auto)
	}
	err = planfile.Compare(reviewed, r.plan(string(staged.Release[:8])), planfile.Options{})
	for _, target := range staged.Targets {
		if err == nil || !strings.Contains(err.Error(), target.Name+": release "+first.Release.Short()+" was live when the plan was made") {
			t.Errorf("after other publishes, %s: got %v", target.Name, err)
		}
	}
	hold := targets.Retention{}
	err = r.app.inWorkspace(func(w *workspace.Workspace) error {
		waiting, err := w.StagedReleases(t.Context())
		for _, s := range waiting {
			hold.Hold = append(hold.Hold, s.Release)
		}
		return err
	})
	if err != nil || len(hold.Hold) != 1 || hold.Hold[0] != staged.Release {
		t.Fatalf("got %v, %v, want the staged release", hold.Hold, err)
	}
	names := r.prune(staged, hold)
	if len(names) != len(staged.Targets) {
		t.Fatalf("of %d targets %v hold the staged release", len(staged.Targets), names)
	}
	if left := r.prune(staged, targets.Retention{}, names[0]); len(left) != len(names)-1 {
		t.Fatalf("%s is to drop it: %v hold it", names[0], left)
	}
	r.app.stateDir = filepath.Join(t.TempDir(), "fresh")
	if err := os.Rename(r.site, r.site+".gone"); err != nil {
		t.Fatal(err)
	}
	live, err := r.stage(workspace.PublishOptions{Release: string(staged.Release[:8])})
	if err != nil || live.Outcome != publish.Live || live.Release != staged.Release || live.Rollback || len(live.Warnings) > 0 {
		t.Fatalf("got %+v, %v", live, err)
	}
	if v := r.check(); !v.Agree() || v.Release != staged.Release {
		t.Errorf("afterwards: %+v", v)
	}
	if _, err := r.stage(workspace.PublishOptions{Release: string(staged.Release[:8])}); err == nil || !strings.Contains(err.Error(), "has gone live since") {
		t.Errorf("a second time: got %v", err)
	}
}
