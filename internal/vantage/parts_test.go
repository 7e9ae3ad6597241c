package vantage

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/site"
)

// TestItemsShareTheUniqueQueries deals checks to 1 to 40 agents, each part several times: with what this machine keeps, all
// requests past the caches of an origin are no more than one budget.
func TestItemsShareTheUniqueQueries(t *testing.T) {
	t.Parallel()
	u, err := url.Parse("https://blog.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	var look check.Options
	for n := range 3 * partPages {
		look.Manifest = append(look.Manifest, site.File{Path: fmt.Sprintf("p%05d.html", n)})
	}
	for _, agents := range []int{1, 3, 8, 40} {
		at := origin.Endpoint{Name: "web", URL: u}
		at.Uniques = origin.NewUniques(origin.MostUnique)
		j := newJob("c", []origin.Endpoint{at}, look, 0, agents)
		dealt := 0
		for range 5 * agents {
			for part := range j.parts {
				dealt += j.item(part).Origins[0].Uniques
			}
		}
		if sum := dealt + at.Uniques.Left(); dealt == 0 || sum > origin.MostUnique || at.Uniques.Left() < origin.MostUnique/2 {
			t.Errorf("%d agents get %d, and %d are left", agents, dealt, at.Uniques.Left())
		}
	}
}

// TestAPlaceThatDidNotFinishIsNamed ends a check, in both modes, while one of two agents has a part that no other one has done.
func TestAPlaceThatDidNotFinishIsNamed(t *testing.T) {
	t.Parallel()
	var look check.Options
	for n := range 2 * partPages {
		look.Manifest = append(look.Manifest, site.File{Path: fmt.Sprintf("p%05d.html", n)})
	}
	for _, mode := range []Mode{Each, Spread} {
		d := &dealer{Places: &Places{Mode: mode, Timeout: time.Minute}, began: time.Now(), job: newJob("c", nil, look, 0, 2), done: map[int]bool{0: true}}
		fra := &agent{Agent: Agent{Place: "fra", Heard: time.Now()}, open: map[int]dealt{0: {}, 1: {}}}
		nyc := &agent{Agent: Agent{Place: "nyc", Heard: time.Now()}, open: map[int]dealt{}, parts: map[int][]diff.OriginVerdict{0: nil, 1: nil}}
		d.agents = map[string]*agent{"fra": fra, "nyc": nyc}
		views := d.views()
		if len(views) != 2 || !strings.Contains(views[0].Missing, "did not finish within 1m0s") || views[1].Missing != "" {
			t.Errorf("%s: got %+v", mode, views)
		}
	}
}
