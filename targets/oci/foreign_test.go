package oci

import (
	"slices"
	"testing"

	"mirror/targets"
	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// TestWrongImage plans to a tag that names an image without any file in the web root: the image
// as a whole is foreign, whatever publish.keep says. Once a release is staged or live it is not.
func TestWrongImage(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	p.putEntries(t, imagetest.File("usr/bin/postgres", "elf"), imagetest.File("site", "a file where the folder should be"))
	digest, err := liveImage(t, p).Digest()
	if err != nil {
		t.Fatal(err)
	}
	theirs := "@" + digest.String()
	rel := targettest.Release(pages)
	for _, env := range []targets.Env{{}, {Keep: targets.Keep{"**"}}} {
		plan, err := p.open(t, env).Plan(t.Context(), rel)
		if err != nil || !slices.Equal(plan.Foreign, []string{p.tag.Context().String() + theirs}) || len(plan.Changes.Delete) > 0 {
			t.Errorf("plan: got the foreign %q and %+v, %v; want the image %s", plan.Foreign, plan.Changes, err, theirs)
		}
	}
	swap := publish(t, p.open(t, targets.Env{}), pages)
	wantNoneForeign(t, p, targettest.Files{"index.html": "next"})
	if err := p.open(t, targets.Env{}).Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	if live, err := p.open(t, targets.Env{}).Live(t.Context()); err != nil || "@"+live.Revision != theirs {
		t.Errorf("after the rollback: got %+v, %v; want %s", live, err, theirs)
	}
	wantNoneForeign(t, p, pages) // a release is staged beside it
}

// TestImageBuiltOnOurs injects a file by building on a release's image, in a repository that
// holds no staged release: the annotations or labels that the image carries along are a record.
func TestImageBuiltOnOurs(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	publish(t, p.open(t, targets.Env{}), pages)
	img := liveImage(t, p)
	for _, base := range []v1.Image{img, withoutAnnotations(t, img)} {
		other := newPlace(t, embeddedRegistry(t))
		pushImage(t, other.tag, imagetest.Append(t, base, []imagetest.Entry{imagetest.File("site/evil.html", "1")}))
		plan := wantNoneForeign(t, other, pages)
		if !slices.Equal(plan.Changes.Delete, []string{"evil.html"}) {
			t.Errorf("plan: got %+v, want evil.html to be deleted", plan.Changes)
		}
	}
}

func wantNoneForeign(t *testing.T, p place, files targettest.Files) targets.Plan {
	t.Helper()
	plan, err := p.open(t, targets.Env{}).Plan(t.Context(), targettest.Release(files))
	if err != nil || len(plan.Foreign) > 0 {
		t.Errorf("plan: got the foreign files %q, %v; want none", plan.Foreign, err)
	}
	return plan
}
