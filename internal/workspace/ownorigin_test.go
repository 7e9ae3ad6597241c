package workspace_test

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/workspace"
)

// selfBuilt is a host that builds the site itself, beside a folder that is published to.
func selfBuilt(t *testing.T, home func() string) *place {
	t.Helper()
	own := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, home())
	})
	var p *place
	p = newPlace(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.FileServer(http.Dir(filepath.Join(p.root, "disk", "current"))).ServeHTTP(w, r)
	}), fmt.Sprintf("origins: [{name: self-built, url: %q}]\n", own))
	return p
}

// kinds lists what an origin was found with in a verdict.
func kinds(v *diff.Verdict, origin string) []string {
	i := slices.IndexFunc(v.Origins, func(o diff.OriginVerdict) bool { return o.Name == origin })
	if i < 0 {
		return []string{"not looked at"}
	}
	found := []string{}
	for _, d := range v.Origins[i].Differences {
		found = append(found, fmt.Sprintf("%s %s", d.Kind, d.Path))
	}
	return found
}

// A host that builds the site itself is compared, and decides whether a publish has converged. Nothing
// is published to it.
func TestPublishWaitsForOriginsOfTheirOwn(t *testing.T) {
	t.Parallel()
	var building atomic.Bool // its second build, which is live when its home page was asked for some times
	var asked atomic.Int64
	p := selfBuilt(t, func() string {
		if building.Load() && asked.Add(1) > 10 {
			return "home 2"
		}
		return "home"
	})
	if report := p.publish(); report.Outcome != publish.Live || len(report.Targets) != 1 || len(report.Window.Origins) != 2 {
		t.Errorf("got %s, %d targets, %+v", report.Outcome, len(report.Targets), report.Window)
	}
	if v, err := p.Check(t.Context(), workspace.CheckOptions{}); err != nil || !v.Agree() || len(v.Origins) != 2 {
		t.Errorf("got %v, %v of %d origins", err, v.State(), len(v.Origins))
	}
	p.write("public/index.html", "home 2")
	building.Store(true)
	if report := p.publish(); report.Outcome != publish.Live || !report.Window.Closed {
		t.Errorf("got %s, %+v", report.Outcome, report.Window)
	}
	_, err := p.open("state", "self-built").Publish(t.Context(), workspace.PublishOptions{})
	if _, ok := errors.AsType[*workspace.UsageError](err); !ok {
		t.Errorf("a publish to it alone: got %v", err)
	}
}

// TestPublishMeasuresTheGapBetweenFronts has two origins of the config that are fronts: the window says how far apart
// they moved.
func TestPublishMeasuresTheGapBetweenFronts(t *testing.T) {
	t.Parallel()
	var p *place
	disk := func(w http.ResponseWriter, r *http.Request) {
		http.FileServer(http.Dir(filepath.Join(p.root, "disk", "current"))).ServeHTTP(w, r)
	}
	fronts := fmt.Sprintf("origins: [{name: east, url: %q, front: true}, {name: west, url: %q, front: true}]\n", serve(t, disk), serve(t, disk))
	p = newPlace(t, serve(t, disk), fronts)
	p.publish()
	p.write("public/index.html", "home 2")
	report := p.publish()
	if gap, ok := report.Window.FrontGap(); !ok || gap.Open || !slices.Equal(gap.Fronts, []string{"east", "west"}) {
		t.Errorf("got %t, %+v of %+v", ok, gap, report.Window)
	}
}

// What an origin still serves of the release before is stale, in a publish as in a check, also on a
// machine that has never published.
func TestPublishNamesWhatIsNotDeployedYet(t *testing.T) {
	longtest.Skip(t, "waits for verify_timeout")
	t.Parallel()
	for _, state := range []string{"state", "another"} {
		p := selfBuilt(t, func() string { return "home" })
		p.publish()
		var found []string
		want := []string{"stale index.html"}
		for i, patience := 0, time.Second; !slices.Equal(found, want) && patience < 2*time.Minute; i, patience = i+1, patience*4 { // a busy machine needs more
			p.write("public/index.html", strings.Repeat("home 2 ", i+1))
			report, err := p.open(state).Publish(t.Context(), workspace.PublishOptions{VerifyTimeout: patience})
			if err != nil || report.Outcome != publish.Diverged {
				t.Fatalf("got %v, %s", err, report.Outcome)
			}
			found = kinds(report.Verdict, "self-built")
			if at := kinds(report.Verdict, "disk"); len(at) > 0 {
				t.Logf("the folder: %q", at)
			}
		}
		if !slices.Equal(found, want) {
			t.Errorf("%s: got %q, want %q", state, found, want)
		}
	}
}
