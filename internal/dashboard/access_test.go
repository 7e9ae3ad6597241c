package dashboard_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"mirror/internal/dashboard"
	"mirror/internal/history"
)

// said is what a build, a target and a command print in these tests.
const said = "Cannot POST /deploy/"

// told has every row hold what somebody said.
func (w *world) told() {
	w.t.Helper()
	ctx := w.t.Context()
	w.check(noon())
	_, err := w.store.RecordCheck(ctx, history.Check{Started: noon(), Err: said}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.store.RecordPublish(ctx, history.Publish{Started: noon(), Outcome: "failed", Release: release(1), Err: said}); err != nil {
		w.t.Fatal(err)
	}
	run := history.Run{Job: "drift", Slot: noon(), Started: noon()}
	if _, err := w.store.BeginRun(ctx, run); err != nil {
		w.t.Fatal(err)
	}
	run.Outcome, run.Err, run.Log = "failed", said, said
	if err := w.store.EndRun(ctx, run); err != nil {
		w.t.Fatal(err)
	}
}

func everyAnswer() []string {
	return append(everyPage(), "/publishes/1", "/metrics", "/api/v1/overview", "/api/v1/checks", "/api/v1/publishes", "/api/v1/publishes/1",
		"/api/v1/jobs", "/api/v1/jobs/drift", "/api/v1/origins", "/api/v1/episodes", "/login")
}

// as asks with an Authorization header.
func (w *world) as(path, user, password string) (int, string) {
	w.t.Helper()
	request, err := http.NewRequest(http.MethodGet, w.server.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	switch {
	case user == "Bearer":
		request.Header.Set("Authorization", "Bearer "+password)
	case user != "":
		request.SetBasicAuth(user, password)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestOutputIsForThoseWithTheToken(t *testing.T) {
	const token = "s3cret-of-the-board"
	for _, configured := range []string{"", token} {
		w := newWorld(t, func(o *dashboard.Options) { o.Token = configured })
		w.told()
		for _, path := range everyAnswer() {
			for _, c := range []struct{ user, password string }{{}, {"Bearer", "wrong"}, {"Bearer", ""}, {"me", ""}, {"me", "wrong"}, {"me", "s3cret"}} {
				if status, body := w.as(path, c.user, c.password); strings.Contains(body, said) || status >= 500 {
					t.Errorf("token %q, asked as %v: %s answers %d and tells what was said", configured, c, path, status)
				}
			}
		}
	}
	for _, user := range []string{"Bearer", "me"} {
		w := newWorld(t, func(o *dashboard.Options) { o.Token = token })
		w.told()
		for _, path := range []string{"/publishes/1", "/jobs", "/jobs/drift", "/checks", "/api/v1/jobs/drift", "/api/v1/publishes"} {
			if _, body := w.as(path, user, token); !strings.Contains(body, said) || strings.Contains(body, "/login") {
				t.Errorf("%s as %s does not tell what was said: %s", path, user, body)
			}
		}
	}
}

func TestABrowserCanLogIn(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) { o.Token = "s3cret-of-the-board" })
	answer, body := w.get("/")
	if !strings.Contains(body, `href="/login"`) || answer.StatusCode != 200 {
		t.Errorf("no way to log in: %s", body)
	}
	if answer, _ = w.get("/login"); answer.StatusCode != 401 || !strings.HasPrefix(answer.Header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("got %s, %v", answer.Status, answer.Header)
	}
	if status, _ := w.as("/login", "me", "s3cret-of-the-board"); status != http.StatusSeeOther {
		t.Errorf("with the token: %d", status)
	}
	if status, _ := newWorld(t, nil).as("/login", "", ""); status != 404 {
		t.Errorf("without a token: %d", status)
	}
}

func TestAnswersAreScrubbed(t *testing.T) {
	const token = "s3cret-of-the-board"
	w := newWorld(t, func(o *dashboard.Options) {
		o.Token, o.Origins[0].Name = token, "a-secret-name"
		o.Notice = func() string { return "the a-secret-name of it" }
		o.Scrub = func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("a-secret-name"), []byte("***")) }
	})
	w.told()
	for _, path := range everyAnswer() {
		if _, body := w.as(path, "Bearer", token); strings.Contains(body, "a-secret-name") {
			t.Errorf("%s tells the secret", path)
		}
	}
}
