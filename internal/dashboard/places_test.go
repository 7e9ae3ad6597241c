package dashboard_test

import (
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

// TestPlacesAreShown has one of three places see an old page, and one missing.
func TestPlacesAreShown(t *testing.T) {
	w := newWorld(t, withNotifications)
	old := stale("pages", "index.html")
	view := func(place string, differences ...diff.Difference) diff.PlaceView {
		return diff.PlaceView{Place: place, Origins: []diff.OriginVerdict{{Name: "pages", URL: "https://pages.example/", Pages: 214, Match: 214 - len(differences), Differences: differences}}}
	}
	views := []diff.PlaceView{view("ams"), view("fra", old), view("nyc"), {Place: "syd", Missing: "its agent has not been heard of"}}
	v := diff.JoinPlaces(diff.Verdict{Release: release(3), Pages: 214, Started: noon().Add(-time.Minute), Elapsed: time.Second}, []string{"pages"}, views, 1)
	row, differences := history.CheckOf(v)
	row.Job = "drift"
	if _, err := w.store.RecordCheck(t.Context(), row, differences); err != nil {
		t.Fatal(err)
	}
	text := w.metrics()
	for _, want := range []string{
		`mirror_place_agrees{origin="pages",place="fra"} 0`, `mirror_place_agrees{origin="pages",place="nyc"} 1`,
		`mirror_place_up{origin="pages",place="fra"} 1`, `mirror_place_up{origin="pages",place="syd"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	_, page := w.get("/origins/pages")
	for _, want := range []string{"As each place saw it", "fra", "213 of 214", "its agent has not been heard of", "at 1 of 3 places: fra"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the origin does not show %q", want)
		}
	}
}
