package dashboard_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mirror/internal/dashboard"
	"mirror/internal/history"
	"mirror/internal/summary"
	"mirror/reports"
)

// broken is a history that cannot be read.
type broken struct{ summary.Source }

func (broken) LastCheck(context.Context) (history.Check, bool, error) {
	return history.Check{}, false, errBroken
}

func (w *world) document(path string) map[string]any {
	w.t.Helper()
	answer, body := w.get(path)
	var doc map[string]any
	if err := json.Unmarshal([]byte(body), &doc); err != nil || answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "application/json" {
		w.t.Fatalf("%s: %s %v: %s", path, answer.Status, err, body)
	}
	return doc
}

func TestOverviewDocument(t *testing.T) {
	w := newWorld(t, nil)
	w.lived()
	doc := w.document("/api/v1/overview")
	if doc["schema"] != "mirror.overview/v1" || doc["state"] != "drift" || doc["agree"] != false || doc["release"] != string(release(3)) ||
		doc["published"] != "2026-11-22T07:00:09Z" || doc["checked"] != "2026-11-22T11:49:00Z" {
		t.Errorf("got %v", doc)
	}
	origins := doc["origins"].([]any)
	bucket := origins[1].(map[string]any)
	if len(origins) != 3 || bucket["name"] != "bucket" || bucket["state"] != "drift" || bucket["match"] != 212.0 ||
		bucket["elapsed_ms"] != 1700.0 || bucket["since"] != "2026-11-22T11:49:00Z" || bucket["counts"].(map[string]any)["stale"] != 2.0 {
		t.Errorf("got %v", bucket)
	}
	if drift := doc["drift"].([]any); len(drift) != 1 || drift[0].(map[string]any)["closed"] != nil {
		t.Errorf("got %v", drift)
	}
}

func TestListsArePaged(t *testing.T) {
	w := newWorld(t, nil)
	w.lived()
	for path, all := range map[string]int{"checks": 176, "publishes": 3, "episodes": 4, "jobs/drift": 2} {
		seen, next := 0, "/api/v1/"+path+"?limit=2"
		last := ""
		for next != "" && seen <= all {
			doc := w.document(next)
			items := doc["items"].([]any)
			seen += len(items)
			for _, item := range items {
				started, _ := item.(map[string]any)["started"].(string)
				if last != "" && started >= last {
					t.Errorf("%s: %s comes after %s", path, started, last)
				}
				last = started
			}
			next = doc["next"].(string)
		}
		if seen != all {
			t.Errorf("%s: got %d, want %d", path, seen, all)
		}
	}
	if items := w.document("/api/v1/episodes?open=true&origin=bucket")["items"].([]any); len(items) != 1 {
		t.Errorf("open ones: %v", items)
	}
	if window := w.document("/api/v1/publishes/3")["window"].(map[string]any); window["schema"] != "mirror.window/v1" || window["upper_ms"] != 3900.0 {
		t.Errorf("got %v", window)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	w := newWorld(t, nil)
	for path, want := range map[string]int{
		"/api/v1/nothing": 404, "/api/v1/episodes/7": 404, "/api/v1/episodes/x": 404, "/api/v1/origins/x": 404, "/api/v1/checks?before=x": 400,
		"/api/v1/checks?limit=-1": 400, "/origins/x": 404, "/publishes/0": 404, "/episodes/99999999999999999999": 404, "/jobs/x": 404, "/checks?before=x": 400,
		"/..%2f..%2fetc/passwd": 404, "/style.css/x": 404, "/assets/style.css": 404,
	} {
		answer, body := w.get(path)
		if answer.StatusCode != want || strings.Contains(path, "/api/") && !strings.HasPrefix(body, "{") {
			t.Errorf("%s: got %s: %s", path, answer.Status, body)
		}
	}
}

// post asks for work, with the token and from the site that are given.
func (w *world) post(path, token, site string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequest(http.MethodPost, w.server.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	if site != "" {
		r.Header.Set("Sec-Fetch-Site", site)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	answer.Body.Close()
	return answer
}

func TestStartingNeedsTheToken(t *testing.T) {
	started, fail, at := 0, error(nil), noon()
	w := newWorld(t, func(o *dashboard.Options) {
		o.Token, o.Now = "s3cret", func() time.Time { return at }
		o.Check = func(ctx context.Context) error {
			started++
			return fail
		}
	})
	for _, c := range []struct {
		name, path, token, site string
		want, runs              int
	}{
		{"without a token", "/api/v1/check", "", "", 401, 0},
		{"a wrong token", "/api/v1/check", "Bearer s3cre", "", 401, 0},
		{"the token as a password", "/api/v1/check", "Basic s3cret", "", 401, 0},
		{"from another site", "/api/v1/check", "Bearer s3cret", "cross-site", 403, 0},
		{"what nobody can do", "/api/v1/publish", "Bearer s3cret", "", 404, 0},
		{"rightly", "/api/v1/check", "Bearer s3cret", "", 202, 1},
	} {
		before := started
		if answer := w.post(c.path, c.token, c.site); answer.StatusCode != c.want || started-before != c.runs {
			t.Errorf("%s: got %s and %d runs, want %d and %d", c.name, answer.Status, started-before, c.want, c.runs)
		} else if c.want == 401 && !strings.HasPrefix(answer.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: no challenge", c.name)
		}
	}
	if answer, _ := w.get("/api/v1/check"); answer.StatusCode != 405 || answer.Header.Get("Allow") != "POST" {
		t.Errorf("GET: got %s", answer.Status)
	}
	fail = dashboard.ErrBusy
	if answer := w.post("/api/v1/check", "Bearer s3cret", ""); answer.StatusCode != 409 {
		t.Errorf("while it runs: got %s", answer.Status)
	}
	fail = errBroken
	if answer := w.post("/api/v1/check", "Bearer s3cret", ""); answer.StatusCode != 503 {
		t.Errorf("what fails: got %s", answer.Status)
	}
	if answer := w.post("/api/v1/check", "Bearer s3cret", ""); answer.StatusCode != 429 || answer.Header.Get("Retry-After") == "" {
		t.Errorf("too often: got %s", answer.Status)
	}
	at, fail = at.Add(time.Minute), nil
	if answer := w.post("/api/v1/check", "Bearer s3cret", ""); answer.StatusCode != 202 {
		t.Errorf("a minute later: got %s", answer.Status)
	}
}

func TestNoTokenIsFoundByTrying(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) {
		o.Token, o.Check = "s3cret", func(context.Context) error { return nil }
	})
	codes := map[int]int{}
	for range 30 {
		codes[w.post("/api/v1/check", "Bearer wrong", "").StatusCode]++
	}
	if codes[401] != 10 || codes[429] != 20 {
		t.Errorf("got %v", codes)
	}
	if answer := w.post("/api/v1/check", "Bearer s3cret", ""); answer.StatusCode != 429 {
		t.Errorf("the right one is told from wrong ones meanwhile: %s", answer.Status)
	}
}

func TestWithoutATokenNothingStarts(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) {
		o.Check = func(context.Context) error { panic("started") }
	})
	for _, token := range []string{"", "Bearer ", "Bearer x"} {
		if answer := w.post("/api/v1/check", token, ""); answer.StatusCode != 404 {
			t.Errorf("%q: got %s", token, answer.Status)
		}
	}
	if answer := w.post("/jobs", "", ""); answer.StatusCode != 405 || answer.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("got %s", answer.Status)
	}
}

func TestHealth(t *testing.T) {
	var overdue, hanging []string
	w := newWorld(t, func(o *dashboard.Options) {
		o.Overdue, o.Hanging = func() []string { return overdue }, func() []string { return hanging }
	})
	for _, path := range []string{"/healthz", "/readyz"} {
		if answer, body := w.get(path); answer.StatusCode != 200 {
			t.Errorf("%s: %s %s", path, answer.Status, body)
		}
	}
	for _, group := range []reports.Group{{Name: "blog", Leads: true, Leader: "web1"}, {Name: "blog", Leader: "web2"}, {Name: "blog"}} {
		grouped := newWorld(t, func(o *dashboard.Options) { o.Group = func() reports.Group { return group } })
		want := "ready\nthis daemon is on standby in the group blog\n"
		if group.Leader != "" {
			want = "ready\nthis daemon is on standby in the group blog, which web2 leads\n"
		}
		if group.Leads {
			want = "ready\nthis daemon leads the group blog\n"
		}
		if answer, body := grouped.get("/readyz"); answer.StatusCode != 200 || body != want {
			t.Errorf("%+v: %s %q", group, answer.Status, body)
		}
	}
	overdue = []string{"drift"}
	if answer, body := w.get("/readyz"); answer.StatusCode != 503 || body != "job drift is overdue\n" {
		t.Errorf("overdue: %s %s", answer.Status, body)
	}
	hanging = []string{"daily"}
	if answer, body := w.get("/readyz"); answer.StatusCode != 503 || body != "job drift is overdue\njob daily hangs: a run of it did not end within its timeout\n" {
		t.Errorf("hanging: %s %s", answer.Status, body)
	}
	if _, body := w.get("/"); !strings.Contains(body, "1 job is overdue") {
		t.Error("the overview does not warn")
	}
	sick := newWorld(t, func(o *dashboard.Options) { o.Source = broken{o.Source} })
	if answer, body := sick.get("/readyz"); answer.StatusCode != 503 || body != "the history cannot be read\n" {
		t.Errorf("damaged: %s %s", answer.Status, body)
	}
	if answer, body := sick.get("/"); answer.StatusCode != 500 || strings.Contains(body, errBroken.Error()) || !strings.Contains(body, "<nav") {
		t.Errorf("damaged: %s %s", answer.Status, body)
	}
	if answer, _ := sick.get("/healthz"); answer.StatusCode != 200 {
		t.Errorf("alive: %s", answer.Status)
	}
}

func TestForeignNamesAreRefused(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) { o.Hosts = []string{"Mirror.example"} })
	u, err := url.Parse(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		u.Host: 200, "localhost:8700": 200, "LOCALHOST": 200, "[::1]:8700": 200, "::1": 200, "192.0.2.1": 200, "mirror.example": 200, "mirror.example.:443": 200,
		"evil.example": 421, "evil.example:8700": 421, "localhost.evil.example": 421, "mirror.example.evil.example": 421, "127.0.0.1.evil.example": 421, "0x7f.1": 421,
	} {
		r, err := http.NewRequest(http.MethodGet, w.server.URL+"/api/v1/overview", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: got %s, want %d", host, answer.Status, want)
		}
	}
}
