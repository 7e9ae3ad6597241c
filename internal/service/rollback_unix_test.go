//go:build unix

package service_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/reports"
)

// TestRollbackByADaemon has a daemon go back to an earlier release when it is asked to, and record that as a rollback. Its
// checks expect the earlier release from then on. A release that no target holds is a run that failed, and no publish.
func TestRollbackByADaemon(t *testing.T) {
	t.Parallel()
	w := newNumbersWorld(t, 1, numbersPlan{origins: 1})
	w.publishByHand()
	w.writeSite(1)
	w.publishByHand()
	d := w.startDaemon()
	defer d.end(os.Kill)
	h, err := history.Open(t.Context(), filepath.Join(w.dir, ".mirror", history.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	w.awaitCheck(h, time.Time{}) // then jobs can be run
	publishes := apiList[reports.PeriodPublish](d, "/api/v1/publishes")
	first := publishes[len(publishes)-1].Release
	if d.rollback("") == nil || d.rollback("zzz") != nil {
		t.Error("a rollback with no release is refused, or one with a release that cannot be is accepted")
	}
	w.await("the earlier release", func() bool { return w.home() == homeOf(0) })
	w.await("its record", func() bool {
		all := apiList[reports.PeriodPublish](d, "/api/v1/publishes")
		return all[0].Rollback && all[0].Outcome == "live" && all[0].Release == first && all[0].Job == "rollback"
	})
	w.await("a check that expects the earlier release", func() bool {
		last, _, err := h.LastCheck(t.Context())
		return err == nil && last.Release == first && last.Origins[0].State == diff.Agrees
	})
	w.await("the end of the run", func() bool {
		return !slices.ContainsFunc(apiList[reports.Job](d, "/api/v1/jobs"), func(j reports.Job) bool { return j.Run == "rollback" && j.Running })
	})
	w.await("a request for a release that no target holds to be taken", func() bool { return d.rollback(strings.Repeat("0", 64)) != nil })
	w.await("its run", func() bool {
		return slices.ContainsFunc(apiList[reports.LoggedRun](d, "/api/v1/jobs/rollback"), func(run reports.LoggedRun) bool {
			return run.Outcome == "failed" && strings.Contains(run.Error, "no target holds a release 0000") && strings.Contains(run.Error, first.Short())
		})
	})
	if n := len(apiList[reports.PeriodPublish](d, "/api/v1/publishes")); n != 3 || w.home() != homeOf(0) {
		t.Errorf("%d publishes are on record, and %s is live", n, w.home())
	}
}

// rollback asks for a rollback, and returns the answer, nil where it is refused.
func (d *daemonProcess) rollback(release string) []byte {
	body, err := json.Marshal(map[string]string{"release": release})
	if err != nil {
		d.w.t.Fatal(err)
	}
	return d.askWith(http.MethodPost, "/api/v1/rollback", string(body))
}

// home is the home page of the target.
func (w *numbersWorld) home() string {
	text, err := os.ReadFile(filepath.Join(w.dir, "live", "current", "index.html"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}
