package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/browser"
	"mirror/internal/dashboard"
	"mirror/internal/longtest"
	"mirror/reports"
)

const boardToken = "s3cret-of-the-board"

// rollbacks keeps the releases that a dashboard was asked to put live.
type rollbacks struct {
	mu    sync.Mutex
	asked []string
}

func (r *rollbacks) start(_ context.Context, release string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, release)
	return nil
}

func (r *rollbacks) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("%q", r.asked)
}

// newRollbackWorld is a world whose daemon can roll back.
func newRollbackWorld(t *testing.T) (*world, *rollbacks) {
	t.Helper()
	asked := &rollbacks{}
	w := newWorld(t, func(o *dashboard.Options) {
		jobs := o.Jobs
		o.Token, o.Rollback = boardToken, asked.start
		o.Jobs = func() []reports.Job {
			return append(jobs(), reports.Job{Name: "back", Run: "rollback", Describe: "on request"})
		}
	})
	return w, asked
}

// postBody asks for work with the token and a body.
func (w *world) postBody(path, body string) int {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+boardToken)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// TestRollbackByTheAPI takes the ID of a release from the body, and nothing but an ID.
func TestRollbackByTheAPI(t *testing.T) {
	w, asked := newRollbackWorld(t)
	if answer := w.post("/api/v1/rollback", "", ""); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the token: %s", answer.Status)
	}
	if answer := w.post("/api/v1/rollback", "Bearer "+boardToken, "cross-site"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %s", answer.Status)
	}
	for _, body := range []string{"release", `{"release": 3}`, `{"release": "../x"}`, `{"release": "` + strings.Repeat("a", 65) + `"}`, strings.Repeat(" ", 5000)} {
		if status := w.postBody("/api/v1/rollback", body); status != http.StatusBadRequest {
			t.Errorf("%.40s: got %d", body, status)
		}
	}
	for _, body := range []string{"", `{"release": "3F9a1c"}`, "{}"} {
		if status := w.postBody("/api/v1/rollback", body); status != http.StatusAccepted {
			t.Errorf("%s: got %d", body, status)
		}
	}
	if asked.String() != `["" "3f9a1c" ""]` {
		t.Errorf("asked for %s", asked)
	}
}

// TestWhereARollbackIsOffered has a button on the page of a release that was live and is not now, and on no other, and
// none where there is no token.
func TestWhereARollbackIsOffered(t *testing.T) {
	w, _ := newRollbackWorld(t)
	for i, outcome := range []string{"live", "rolled_back", "diverged"} {
		w.publish(i+1, noon().Add(time.Duration(i-5)*time.Hour), outcome)
	}
	plain := newWorld(t, nil)
	plain.publish(1, noon().Add(-2*time.Hour), "live")
	plain.publish(2, noon().Add(-time.Hour), "live")
	for path, want := range map[string]bool{"/publishes/1": true, "/publishes/2": false, "/publishes/3": false} {
		if _, body := w.get(path); strings.Contains(body, `data-rollback="ask"`) != want {
			t.Errorf("%s: a button where want %t: %s", path, want, body)
		}
	}
	if _, body := plain.get("/publishes/1"); strings.Contains(body, "data-rollback") {
		t.Error("a button without a token")
	}
}

// TestRollbackInABrowser asks before it begins, needs the token, and leads to the job.
func TestRollbackInABrowser(t *testing.T) {
	longtest.Skip(t, "drives a browser")
	w, asked := newRollbackWorld(t)
	w.publish(1, noon().Add(-2*time.Hour), "live")
	w.publish(2, noon().Add(-time.Hour), "live")
	b := browser.Start(t)
	b.Look(390, "light")
	b.Open(w.server.URL + "/publishes/1")
	b.Await("the stream", `document.getElementById("live").textContent === "Updates by itself."`)
	b.Do(`document.querySelector("[data-rollback=ask]").click()`)
	b.Await("the question", `document.getElementById("rollback").open && document.body.innerText.includes("Roll back to release `+release(1).Short()+`?")`)
	b.Fits("the question at 390")
	b.Quiet(w.server.URL)
	b.Press("wrong\r")
	b.Await("the refusal", `document.getElementById("rollback-answer").textContent === "The token is not right."`)
	b.Forgive("401")
	w.publish(3, noon(), "live")
	w.dashboard.Changed()
	b.Await("the update", `document.getElementById("rollback").innerText.includes("in place of `+release(3).Short()+`")`)
	if !b.Holds(`document.getElementById("rollback").open && document.getElementById("rollback-answer").textContent !== ""`) {
		t.Error("an update of the page closed the question or took what it said")
	}
	if asked.String() != "[]" {
		t.Fatalf("asked for %s before the token was given", asked)
	}
	b.Do(`document.getElementById("rollback-token").value = ""; document.getElementById("rollback-token").focus()`)
	b.Press(boardToken)
	b.Follow("#rollback-form [type=submit]")
	if at := b.Text(`location.pathname`); at != "/jobs/back" {
		t.Errorf("after the rollback began the page is %s", at)
	}
	if want := fmt.Sprintf("[%q]", release(1)); asked.String() != want {
		t.Errorf("asked for %s, want %s", asked, want)
	}
	b.Quiet(w.server.URL)
}
