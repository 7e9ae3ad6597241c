package workspace_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/internal/publish"
	"mirror/internal/workspace"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/dir"
)

// newFolder is a workspace with one folder as its target, of which no origin is known, and a release that is live.
func newFolder(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, root: t.TempDir(), warnings: &workspace.Warnings{}, lines: &lines{}, kinds: targets.Kinds{dir.Kind()}}
	p.write("mirror.yaml", "version: 1\nsite: {dir: ./public}\npublish: {keep_releases: 2}\ntargets: [{name: disk, type: dir, path: ./disk}]\n")
	p.write("public/index.html", "first")
	p.Workspace = p.open("state")
	p.publish()
	return p
}

// stage stages the site with a home page.
func (p *place) stage(text string) site.ID {
	p.t.Helper()
	p.write("public/index.html", text)
	report, err := p.Publish(p.t.Context(), workspace.PublishOptions{StageOnly: true})
	if err != nil || report.Outcome != publish.Staged || len(report.Warnings) > 0 {
		p.t.Fatalf("got %+v, %v", report, err)
	}
	return report.Release
}

// holds reports whether the folder has a copy of a release.
func (p *place) holds(id site.ID) bool {
	p.t.Helper()
	copies, err := filepath.Glob(filepath.Join(p.root, "disk/releases", string(id)+"*"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, path := range copies {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// age makes the copy of a release older than any publish that could still be about to commit it.
func (p *place) age(id site.ID) {
	p.t.Helper()
	then := time.Now().Add(-2 * targets.StagingGrace)
	if err := os.Chtimes(filepath.Join(p.root, "disk/releases", string(id)), then, then); err != nil {
		p.t.Fatal(err)
	}
}

// TestStagedReleasesAreNotPruned publishes others from another state folder, and prunes as the daemon does. Without
// the record the release is dropped.
func TestStagedReleasesAreNotPruned(t *testing.T) {
	t.Parallel()
	p := newFolder(t)
	staged := p.stage("embargoed")
	for _, forgotten := range []bool{false, true} {
		if forgotten {
			if err := os.Remove(filepath.Join(p.root, "disk/.mirror.notes")); err != nil {
				t.Fatal(err)
			}
		}
		p.age(staged)
		p.Workspace = p.open("another")
		for i := range 3 {
			p.write("public/index.html", fmt.Sprint("edition ", i, forgotten))
			p.publish()
		}
		if err := p.PruneAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p.holds(staged) == forgotten {
			t.Fatalf("forgotten %t: the release is held: %t", forgotten, !forgotten)
		}
	}
	_, err := p.Publish(t.Context(), workspace.PublishOptions{Release: string(staged)})
	if err == nil || !strings.Contains(err.Error(), "no target gives release "+staged.Short()+" whole: disk: ") {
		t.Errorf("a release that no target holds: got %v", err)
	}
}

// TestStagedReleasesAreNamedByTheirFirstDigits stages releases until two begin with the same one.
func TestStagedReleasesAreNamedByTheirFirstDigits(t *testing.T) {
	t.Parallel()
	p := newFolder(t)
	byDigit := map[string]site.ID{}
	var one, two site.ID
	for i := 0; two == site.None; i++ {
		id := p.stage(fmt.Sprint("edition ", i))
		one, two = byDigit[string(id[:1])], id
		if one == site.None {
			two = site.None
		}
		byDigit[string(id[:1])] = id
	}
	_, err := p.Publish(t.Context(), workspace.PublishOptions{Release: strings.ToUpper(string(one[:1]))})
	if _, misused := errors.AsType[*workspace.UsageError](err); !misused || !strings.Contains(err.Error(), one.Short()+" of ") || !strings.Contains(err.Error(), two.Short()+" of ") {
		t.Errorf("an ambiguous beginning: got %v", err)
	}
	if err := os.Remove(filepath.Join(p.root, "disk/.mirror.notes")); err != nil {
		t.Fatal(err)
	}
	_, err = p.Publish(t.Context(), workspace.PublishOptions{Release: string(one[:10])})
	if _, misused := errors.AsType[*workspace.UsageError](err); !misused {
		t.Errorf("without a record: got %v", err)
	}
	report, err := p.Publish(t.Context(), workspace.PublishOptions{Release: string(one)})
	if err != nil || report.Outcome != publish.Live || report.Release != one {
		t.Errorf("the whole ID without a record: got %+v, %v", report, err)
	}
}
