package diff

import (
	"errors"
	"strings"
	"testing"
)

// TestPlacesAreNamed joins what five places saw of an origin: one of them sees an old page.
func TestPlacesAreNamed(t *testing.T) {
	views := []PlaceView{}
	for _, place := range []string{"ams", "fra", "nyc", "sgp", "syd"} {
		o := OriginVerdict{Name: "web", Pages: 10, Match: 10}
		if place == "fra" {
			o.Match, o.Differences = 9, []Difference{{Origin: "web", Path: "a.html", Kind: Stale, Status: 200, Detail: "old"}}
		}
		views = append(views, PlaceView{Place: place, Origins: []OriginVerdict{o}})
	}
	views = append(views, PlaceView{Place: "lax", Missing: "it is off"})
	v := JoinPlaces(Verdict{Pages: 10}, []string{"web"}, views, 1)
	d := v.Origins[0].Differences
	if len(d) != 1 || d[0].Detail != "at 1 of 5 places: fra; old" || v.State() != Drifts || v.Origins[0].Match != 9 || len(v.Origins[0].Places) != 6 || v.Origins[0].Places[2].Err != "it is off" {
		t.Errorf("got %+v", v.Origins[0])
	}
	if strings.Join(v.Notes, "") != "place lax is missing: it is off" {
		t.Errorf("notes %q", v.Notes)
	}
	part := append(views[:5:5], PlaceView{Place: "lax", Missing: "it fell silent", Origins: []OriginVerdict{{Name: "web", Pages: 5, Match: 5}}})
	if s := JoinPlaces(Verdict{Pages: 10}, []string{"web"}, part, 1).Origins[0].Places[2]; s.Name != "lax" || s.Err != "it fell silent" || s.State != CannotBeSeen || s.Pages != 5 {
		t.Errorf("a place that saw a part: got %+v", s)
	}
	quorum := JoinPlaces(Verdict{Pages: 10}, []string{"web"}, views, 2)
	if quorum.Tolerate(Tolerance{Since: -1}); quorum.State() != Agrees {
		t.Errorf("a quorum of two, and other rules: got %s", quorum.State())
	}
	if v := JoinPlaces(Verdict{Pages: 10}, []string{"web"}, views, 2); v.State() != Agrees || v.Origins[0].Differences[0].Tolerated == "" {
		t.Errorf("a quorum of two: got %s, %+v", v.State(), v.Origins[0].Differences)
	}
	alone := views[1:2]
	if v := JoinPlaces(Verdict{Pages: 10}, []string{"web"}, alone, 2); v.State() != Drifts {
		t.Errorf("a quorum of two and one place: got %s", v.State())
	}
}

// TestAnOriginUnreachableFromOnePlace is no origin that is unreachable.
func TestAnOriginUnreachableFromOnePlace(t *testing.T) {
	broken := OriginVerdict{Name: "web", Err: errors.New("timed out")}
	views := []PlaceView{{Place: "ams", Origins: []OriginVerdict{{Name: "web", Pages: 4, Match: 4}}}, {Place: "fra", Origins: []OriginVerdict{broken}}}
	v := JoinPlaces(Verdict{}, []string{"web"}, views, 1).Origins[0]
	if v.Err != nil || len(v.Differences) != 1 || v.Differences[0].Detail != "at 1 of 2 places: fra; timed out" || v.Match != 4 {
		t.Errorf("got %v, %+v", v.Err, v)
	}
	v = JoinPlaces(Verdict{}, []string{"web"}, views[1:], 1).Origins[0]
	if v.Err == nil || len(v.Differences) > 0 {
		t.Errorf("from no place: got %+v", v)
	}
}

// TestPartsAreJoined joins two parts of a look at an origin that is parked.
func TestPartsAreJoined(t *testing.T) {
	part := OriginVerdict{Name: "web", Pages: 5, Requests: 7, Differences: []Difference{{Origin: "web", Path: "*", Kind: Unreachable, Status: 503, Pages: 5, Detail: "the same on all 5 pages: answered 503"}}}
	v := JoinParts([]OriginVerdict{part, part, {Name: "web", Pages: 5, Match: 5}})
	if v.Pages != 15 || v.Match != 5 || v.Requests != 14 || len(v.Differences) != 1 || v.Differences[0].Pages != 10 || v.Differences[0].Detail != "the same on all 10 pages: answered 503" {
		t.Errorf("got %+v", v)
	}
	v = JoinParts([]OriginVerdict{{Name: "web", Pages: 5, Match: 5}, {Name: "web", Pages: 3, Err: errors.New("refused")}})
	if v.Err != nil || len(v.Differences) != 1 || v.Differences[0].Detail != "3 of 8 pages were not seen: refused" {
		t.Errorf("got %+v", v)
	}
}

// TestSharedPagesThatNoPlaceSaw are not judged.
func TestSharedPagesThatNoPlaceSaw(t *testing.T) {
	views := []PlaceView{{Place: "ams", Origins: []OriginVerdict{{Name: "web", Pages: 4, Match: 4}}}}
	v := JoinShared(Verdict{}, []string{"web"}, views, 6)
	if v.State() != CannotBeSeen || v.Origins[0].Pages != 10 || v.Origins[0].Match != 4 {
		t.Errorf("got %s, %+v", v.State(), v.Origins[0])
	}
}
