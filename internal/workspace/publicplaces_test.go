package workspace_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"mirror/diff"
	"mirror/internal/workspace"
)

// TestCheckShowsPublicPlaces checks a site with a fake of the public API: one of its places gets the beacon of another release, and
// one gets nothing. The verdict stays that of the pages.
func TestCheckShowsPublicPlaces(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "http://127.0.0.1:1/", "")
	site := folderServer(t, p.root+"/disk/current")
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, `{"id":"m"}`)
			return
		}
		beacon := strings.ReplaceAll(visit(t, site+"/.well-known/mirror.json"), `"`, `\"`)
		other := fmt.Sprintf(`{\"release\":\"%s\"}`, strings.Repeat("ab", 32))
		const result = `{"probe":{"city":%q,"country":"DE","network":"Net"},"result":{"status":"finished","statusCode":200,"rawBody":"%s","headers":{"age":"9"}}}`
		fmt.Fprintf(w, `{"status":"finished","results":[`+result+`,`+result+`,{"probe":{"city":"Oslo"},"result":{"status":"offline"}}]}`,
			"Berlin", strings.TrimSpace(beacon), "Bonn", other)
	})
	p.write("mirror.yaml", fmt.Sprintf("version: 1\nsite: {dir: ./public}\nvantages: {globalping: {places: [Berlin, Bonn, Oslo], api: %q}}\n"+
		"targets:\n  - {name: disk, type: dir, path: ./disk, origin: {url: %q}}\n", api, site+"/"))
	p.Workspace = p.open("state")
	p.publish()
	var v diff.Verdict
	err := p.WithPlaces(t.Context(), slog.New(slog.DiscardHandler), func() (err error) {
		v, err = p.Check(context.WithoutCancel(t.Context()), workspace.CheckOptions{})
		return err
	})
	if err != nil || !v.Agree() || len(v.Origins) != 1 || len(v.Origins[0].Places) != 3 {
		t.Fatalf("got %+v, %v", v, err)
	}
	got := v.Origins[0].Places
	if got[0].State != diff.Agrees || got[1].State != diff.Drifts || !strings.Contains(got[1].Err, "claims release abababab") || !strings.Contains(got[1].Err, "9 s old") || got[2].State != diff.CannotBeSeen {
		t.Errorf("got %+v", got)
	}
	if notes := strings.Join(v.Notes, "\n"); !strings.Contains(notes, "at 1 of 3 public places") {
		t.Errorf("got notes %q", notes)
	}
	if again, err := p.Check(t.Context(), workspace.CheckOptions{}); err != nil || len(again.Origins[0].Places) != 0 {
		t.Errorf("without --places: got %+v, %v", again.Origins, err)
	}
}
