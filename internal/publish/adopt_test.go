package publish_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mirror/internal/publish"
	"mirror/targets/targettest"
)

// occupied makes places that others have put files into.
func occupied(t *testing.T, n int) []*place {
	t.Helper()
	var all []*place
	for range n {
		p := newPlace(t)
		theirs := filepath.Join(p.path, "theirs")
		for _, err := range []error{
			os.MkdirAll(theirs, 0o755), os.WriteFile(filepath.Join(theirs, "a.jpg"), nil, 0o644), os.Symlink("theirs", filepath.Join(p.path, "current")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, p)
	}
	return all
}

func TestForeignFilesAreNotTakenUnasked(t *testing.T) {
	p := append(occupied(t, 1), newPlace(t))
	report, err := run(t, rel("one"), publish.Options{}, p...)
	foreign, ok := errors.AsType[*publish.ForeignError](err)
	if !ok || report.Outcome != publish.Failed || !slices.Equal(foreign.Files, []string{"a.jpg"}) || report.Targets[0].Err == nil {
		t.Errorf("got %s, %v", report.Outcome, err)
	}
	if p[0].stages+p[1].stages != 0 {
		t.Error("staged")
	}
	if plan, err := publish.Plan(t.Context(), rel("one"), dests(p...), publish.Options{Events: silent{}}); err != nil || len(plan.Targets[0].Plan.Foreign) != 1 {
		t.Errorf("a plan: got %v, want the foreign file and no error", err)
	}
}

func TestAdoptionIsNeededOnce(t *testing.T) {
	p := occupied(t, 2)
	if report, err := run(t, rel("one"), publish.Options{Adoption: publish.Adoption{Allowed: true}}, p...); err != nil || report.Outcome != publish.Live {
		t.Fatalf("got %s, %v", report.Outcome, err)
	}
	must(t, rel("two"), p...)
}

// TestAdoptionThatWasNotCommittedIsAskedAgain loses nothing and remembers nothing.
func TestAdoptionThatWasNotCommittedIsAskedAgain(t *testing.T) {
	p := occupied(t, 1)
	p[0].commitErr = errInjected
	yes := publish.Options{Adoption: publish.Adoption{Allowed: true}}
	if report, err := run(t, rel("one"), yes, p...); !errors.Is(err, errInjected) {
		t.Fatalf("got %s, %v", report.Outcome, err)
	}
	p[0].commitErr = nil
	if _, err := run(t, rel("one"), publish.Options{}, p...); err == nil {
		t.Error("published without an adoption")
	}
	if report, err := run(t, rel("one"), yes, p...); err != nil || report.Outcome != publish.Live {
		t.Errorf("got %s, %v", report.Outcome, err)
	}
}

// TestWhoIsAsked asks for each place, until one is refused, and for none where something else
// stands in the way.
func TestWhoIsAsked(t *testing.T) {
	var asked []string
	answers := map[string]bool{"p0": true, "p1": true, "p2": true}
	ask := func(_ context.Context, name string, foreign []string) (bool, error) {
		asked = append(asked, name+" "+strings.Join(foreign, " "))
		return answers[name], nil
	}
	o := publish.Options{Adoption: publish.Adoption{Ask: ask}, MaxDelete: func(int, int) error { return errInjected }}
	p := occupied(t, 3)
	_, err := run(t, rel("one"), o, p...)
	if _, ok := errors.AsType[*publish.ForeignError](err); !ok || !errors.Is(err, errInjected) || len(asked) != 0 {
		t.Errorf("with another refusal: got %v, asked %q; want both refusals and no question", err, asked)
	}
	o.MaxDelete, answers["p1"] = nil, false
	if _, err := run(t, rel("one"), o, p...); err == nil || !slices.Equal(asked, []string{"p0 a.jpg", "p1 a.jpg"}) || p[0].stages != 0 {
		t.Errorf("got %v, asked %q", err, asked)
	}
	asked, answers["p1"] = nil, true
	if report, err := run(t, rel("one"), o, p...); err != nil || report.Outcome != publish.Live || len(asked) != 3 {
		t.Errorf("got %s, %v, asked %q", report.Outcome, err, asked)
	}
}

// TestAdoptedFilesDoNotCountAsDeletions publishes to a place that others have filled, with a limit
// that allows no deletion at all; once the place is ours, the limit holds.
func TestAdoptedFilesDoNotCountAsDeletions(t *testing.T) {
	p := occupied(t, 1)
	none := func(deletes, held int) error {
		if deletes > 0 {
			return fmt.Errorf("%w: %d of %d", errInjected, deletes, held)
		}
		return nil
	}
	asked := 0
	ask := func(context.Context, string, []string) (bool, error) { asked++; return asked > 1, nil }
	o := publish.Options{MaxDelete: none, Adoption: publish.Adoption{Ask: ask}}
	if _, err := run(t, rel("one"), o, p...); err == nil || errors.Is(err, errInjected) || asked != 1 {
		t.Errorf("a no: got %v, asked %d times", err, asked)
	}
	if report, err := run(t, rel("one"), o, p...); err != nil || report.Outcome != publish.Live {
		t.Fatalf("a yes: got %s, %v", report.Outcome, err)
	}
	o.Adoption = publish.Adoption{Allowed: true}
	if report, err := run(t, targettest.Release(map[string]string{"other.html": "x"}), o, p...); !errors.Is(err, errInjected) {
		t.Errorf("a deletion of ours: got %s, %v", report.Outcome, err)
	}
}
