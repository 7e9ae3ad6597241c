package dashboard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/dashboard"
	"mirror/internal/history"
)

// TestFrontsAreShown has two fronts beside three origins, and the gap between their moves on the first page, on that of
// the publish and in the API.
func TestFrontsAreShown(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) {
		o.Origins = append(o.Origins, dashboard.Origin{Name: "east", URL: "https://east.example/", Front: true}, dashboard.Origin{Name: "west", URL: "https://west.example/", Front: true})
	})
	w.check(noon().Add(-time.Hour))
	seen := window(noon().Add(-2 * time.Hour))
	for i, name := range []string{"east", "west"} {
		front := seen.Origins[0]
		front.Name, front.Front = name, true
		front.Switch = &diff.Bounds{After: front.AllNew.After.Add(time.Duration(i*30) * time.Millisecond), Before: front.AllNew.After.Add(time.Duration(i*30+20) * time.Millisecond)}
		seen.Origins = append(seen.Origins, front)
	}
	id, err := w.store.RecordPublish(t.Context(), history.Publish{Started: noon().Add(-2 * time.Hour), Outcome: "live", Release: release(3), Window: seen})
	if err != nil {
		t.Fatal(err)
	}
	for path, wanted := range map[string][]string{
		"/":                           {`east</a> <span class="dim">front</span>`, "10ms to 50ms apart"},
		"/origins/west":               {"a front over the other origins"},
		fmt.Sprint("/publishes/", id): {"The fronts (east, west) moved to the release 10ms to 50ms apart.", `west <span class="dim">front</span>`},
		"/api/v1/overview":            {`"front": true`, `"names": [`, `"lower_ms": 10`, `"upper_ms": 50`},
	} {
		_, text := w.get(path)
		for _, want := range wanted {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not have %s", path, want)
			}
		}
	}
}
