package dashboard_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"mirror/diff"
	"mirror/internal/dashboard"
	"mirror/internal/history"
	"mirror/reports"
)

// get reads a page.
func (w *world) get(path string) (*http.Response, string) {
	w.t.Helper()
	request, err := http.NewRequest(http.MethodGet, w.server.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.token != "" {
		request.Header.Set("Authorization", "Bearer "+w.token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer, string(body)
}

// everyPage lists the pages of a lived world.
func everyPage() []string {
	return []string{"/", "/origins/bucket", "/publishes", "/publishes/3", "/publishes/2", "/episodes", "/episodes/1", "/episodes/4",
		"/checks", "/history", "/history?days=90", "/jobs", "/jobs/drift", "/nowhere"}
}

func TestPagesSayHowThingsAre(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) { o.Token = "s3cret-of-the-board" })
	w.token = "s3cret-of-the-board"
	w.lived()
	for path, wants := range map[string][]string{
		"/":               {"bucket drifts, 2 of 3 agree", `<time datetime="2026-11-22T11:49:00Z">22 Nov, 11:49:00</time>`, "2 stale", "every 15 minutes", "in 4 min", "4 h 59 min ago"},
		"/origins/bucket": {"212 of 214", "for a.example, b.example, by an authority", "HSTS none; http:// answers 404", "index.html loads img http://cdn.example/&lt;b&gt;", "216 requests", "in 41 days", "412 ms", "99.43 % of 176 checks"},
		"/publishes":      {"rolled back", "3.10 s to 3.90 s", "not watched"},
		"/publishes/3":    {"1.90 s to 2.30 s", "at least 3.10 s", "at most 3.90 s", "after 3.38 s", "old and new pages at the same time"},
		"/publishes/2":    {"access denied", "were not watched"},
		"/episodes/4":     {"between <time", "11 min so far", `<span class="add">&#43;&lt;meta name=&#34;build&#34;`},
		"/episodes/1":     {"connection refused", "every page", "12 h to 20 h"},
		"/history":        {"agreed in 5 of 6 checks, drifted in 1", "was unreachable in 4"},
		"/jobs":           {"smtp: connection refused", "report written"},
		"/nowhere":        {"There is nothing at /nowhere."},
	} {
		_, body := w.get(path)
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
	}
}

// TestTheFirstScreenSaysWhatIsWrong has the pages that drift and what to do before everything else.
func TestTheFirstScreenSaysWhatIsWrong(t *testing.T) {
	w := newWorld(t, nil)
	w.check(noon().Add(-time.Hour))
	w.check(noon().Add(-11*time.Minute), stale("bucket", "a.html"), stale("bucket", "b.html"), stale("bucket", "c.html"), stale("bucket", "d.html"), stale("bucket", "e.html"),
		diff.Difference{Origin: "pages", Path: "login.html", Kind: diff.Altered, Detail: "40 bytes, want 9"})
	_, body := w.get("/")
	first, _, found := strings.Cut(body, `id="origins"`)
	for _, want := range []string{
		`<a href="/episodes/2">bucket: 5 pages are stale</a>`, "a.html</span>, ", "c.html</span> and 2 more", "Publish again, then look at caches",
		`pages: 1 page is altered</a>`, "login.html</span>", "mirror check --verbose shows how the bytes differ",
	} {
		if !found || !strings.Contains(first, want) {
			t.Errorf("the first screen does not say %q", want)
		}
	}
	if strings.Index(first, "login.html") > strings.Index(first, "a.html") {
		t.Error("stale pages come before an altered one")
	}
	if _, body := w.get("/episodes"); !strings.Contains(body, "c.html</span> and 2 more") {
		t.Error("the rows of the list of episodes have no paths")
	}
}

// TestACheckThatFoundDriftIsNotGreen holds for the list of runs; the run itself was done.
func TestACheckThatFoundDriftIsNotGreen(t *testing.T) {
	w := newWorld(t, nil)
	at := noon().Add(-time.Hour)
	w.check(at, stale("bucket", "a.html"))
	w.run("drift", at, "done", "", "")
	w.check(at.Add(15 * time.Minute))
	w.run("drift", at.Add(15*time.Minute), "done", "", "")
	w.check(at.Add(30*time.Minute), diff.Difference{Origin: "image", Detail: "connection refused"})
	w.run("drift", at.Add(30*time.Minute), "done", "", "")
	_, body := w.get("/jobs/drift")
	for _, want := range []string{
		`<span class="state bad"><span aria-hidden="true">✗</span> found drift</span>`, `<span class="state good"><span aria-hidden="true">✓</span> done</span>`,
		`<span class="state warn"><span aria-hidden="true">!</span> unreachable</span>`,
	} {
		if strings.Count(body, want) != 1 {
			t.Errorf("there is not one %q", want)
		}
	}
	if _, text := w.get("/api/v1/jobs/drift"); !strings.Contains(text, `"found": "drift"`) {
		t.Errorf("the API does not say what a check found: %s", text)
	}
}

// TestACheckOfSomeOriginsIsNotCalledASample: --target looks at every page of the origins it names.
func TestACheckOfSomeOriginsIsNotCalledASample(t *testing.T) {
	w := newWorld(t, nil)
	w.check(noon().Add(-time.Hour))
	only := diff.OriginState{Name: "bucket", URL: "https://b.example/", State: diff.Agrees, Pages: 214, Match: 214}
	all := []diff.OriginState{only, {Name: "pages", URL: "https://p.example/", State: diff.Agrees}, {Name: "image", URL: "https://i.example/", State: diff.Agrees}}
	for _, origins := range [][]diff.OriginState{{only}, all} {
		if _, err := w.store.RecordCheck(t.Context(), history.Check{Started: noon(), Pages: 214, Partial: true, Origins: origins}, nil); err != nil {
			t.Fatal(err)
		}
	}
	_, body := w.get("/checks")
	if strings.Contains(body, "sample") || !strings.Contains(body, "1 of 3 origins") || !strings.Contains(body, "in part") {
		t.Errorf("the checks are not named right:\n%s", body)
	}
}

// TestTheReleasePageHasEachTarget tells what was sent where, and why origins diverged.
func TestTheReleasePageHasEachTarget(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) { o.Token = "s3cret-of-the-board" })
	w.publish(2, noon().Add(-2*time.Hour), "rolled_back")
	w.publish(3, noon().Add(-time.Hour), "diverged")
	if _, body := w.get("/publishes/1"); strings.Contains(body, "access denied") {
		t.Error("what a target said is shown without the token")
	}
	w.token = "s3cret-of-the-board"
	for path, wants := range map[string][]string{
		"/publishes/1": {"bucket", "put object: access denied", "not committed"},
		"/publishes/2": {"bucket: 2 differences, such as stale index.html", release(2).Short(), release(3).Short(), "11 files, 238KiB", "900 ms", "+2 ~9 −1"},
	} {
		_, body := w.get(path)
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
	}
	if _, body := w.get("/api/v1/publishes/2"); !strings.Contains(body, `"sent_files": 11`) {
		t.Errorf("the API has no targets: %s", body)
	}
}

func TestPagesBeforeAnythingHappened(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) { o.Jobs = nil })
	for path, want := range map[string]string{
		"/": "Not checked yet", "/origins/bucket": "not checked yet", "/publishes": "Nothing was published yet", "/episodes": "None on record",
		"/checks": "There was no check yet", "/history": "no check", "/jobs": "No job is scheduled",
	} {
		if answer, body := w.get(path); answer.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %s does not say %q", path, answer.Status, want)
		}
	}
}

func TestACheckWithoutAVerdictIsSaid(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) { o.Token = "s3cret-of-the-board" })
	w.token = "s3cret-of-the-board"
	w.check(noon().Add(-time.Hour))
	if _, err := w.store.RecordCheck(t.Context(), history.Check{Started: noon(), Err: "no release is known"}, nil); err != nil {
		t.Fatal(err)
	}
	_, body := w.get("/")
	for _, want := range []string{"All 3 origins agree", "This may be old:", "no release is known"} {
		if !strings.Contains(body, want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

func TestANewJobIsNoTrouble(t *testing.T) {
	w := newWorld(t, nil)
	w.run("drift", noon().Add(-time.Hour), "added", "", "")
	w.check(noon().Add(-time.Minute))
	_, body := w.get("/jobs/drift")
	if !strings.Contains(body, `>&#43;</span> added`) || strings.Contains(body, "took 2.1") {
		t.Error("a job that was added looks like a run, or like trouble")
	}
	if _, body := w.get("/origins/bucket"); !strings.Contains(body, "no drift on record") {
		t.Error("an origin that never drifted does not say so")
	}
}

// hostile are texts that origins may send wherever they can.
func hostile() string {
	return `"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}</title></textarea><!--` + "\x1b[31m\u202egnp\u2028\x00"
}

func TestNothingFromAnOriginIsMarkup(t *testing.T) {
	evil := hostile()
	w := newWorld(t, func(o *dashboard.Options) {
		o.Origins = append(o.Origins, dashboard.Origin{Name: evil, URL: "javascript:alert(1)"})
		o.Jobs = func() []reports.Job {
			return []reports.Job{{Name: evil, Describe: evil, Cron: evil, Run: evil}}
		}
		o.Version, o.Overdue, o.Token = evil, func() []string { return []string{evil} }, "s3cret-of-the-board"
	})
	w.token = "s3cret-of-the-board"
	d := diff.Difference{Origin: "pages", Path: evil, URL: "javascript:alert(1)//", Kind: diff.Kind("stale"), Detail: evil, Excerpt: "+" + evil}
	w.check(noon().Add(-time.Minute), d, diff.Difference{Origin: "image", Detail: evil})
	if _, err := w.store.RecordPublish(t.Context(), history.Publish{Started: noon(), Outcome: evil, Release: "<script>", Previous: `"><b>`, Err: evil, Job: evil,
		Window: &diff.Window{Pages: 1, Origins: []diff.OriginWindow{{Name: evil, FirstNew: diff.Bounds{After: noon()}}}}}); err != nil {
		t.Fatal(err)
	}
	w.run("drift", noon(), evil, evil, evil)
	for _, path := range []string{"/", "/origins/pages", "/origins/image", "/publishes", "/publishes/1", "/episodes", "/episodes/1", "/episodes/2", "/checks",
		"/history", "/jobs", "/jobs/drift", "/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"} {
		answer, body := w.get(path)
		if answer.StatusCode >= 500 {
			t.Errorf("%s: %s", path, answer.Status)
		}
		inspect(t, path, body, "/live.js?v=", "/rollback.js?v=")
		for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Set-Cookie": ""} {
			if got := answer.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q", path, header, got)
			}
		}
		if policy := answer.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
	}
}

// inspect parses a page as browsers do, and fails the test for whatever is not ours: a
// script of another address, an event handler, an image, a link that is none of the web, a character that hides.
func inspect(t *testing.T, path, body string, scripts ...string) {
	t.Helper()
	if strings.ContainsAny(body, "\x1b\u202e\u2028\x00") {
		t.Errorf("%s: a character that hides is in it", path)
	}
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		switch n.Data {
		case "img", "b", "iframe", "object", "base", "form":
			if n.Type == html.ElementNode {
				t.Errorf("%s: there is a <%s>", path, n.Data)
			}
		case "script":
			ours := func(script string) bool { return len(n.Attr) > 0 && strings.HasPrefix(n.Attr[0].Val, script) }
			if n.Type == html.ElementNode && !slices.ContainsFunc(scripts, ours) {
				t.Errorf("%s: there is a script of somebody else's: %v", path, n.Attr)
			}
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || (a.Key == "href" || a.Key == "src") && (strings.Contains(strings.ToLower(a.Val), "javascript:") || strings.Contains(a.Val, "ZgotmplZ")) {
				t.Errorf("%s: <%s %s=%q>", path, n.Data, a.Key, a.Val)
			}
		}
	}
}

// TestARollbackIsMarked has the list of releases, the page of one and the API tell a rollback from a publish.
func TestARollbackIsMarked(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(3, noon().Add(-time.Hour), "live")
	for path, mark := range map[string]string{"/publishes": ">rollback<", "/publishes/1": "Rollback to release", "/api/v1/publishes": `"rollback"`} {
		if _, body := w.get(path); strings.Contains(body, mark) {
			t.Errorf("%s calls a publish %s", path, mark)
		}
	}
	back := history.Publish{Started: noon(), Outcome: "live", Release: release(2), Previous: release(3), Details: history.PublishDetails{Rollback: true}}
	if _, err := w.store.RecordPublish(t.Context(), back); err != nil {
		t.Fatal(err)
	}
	for path, mark := range map[string]string{"/publishes": ">rollback<", "/publishes/2": "Rollback to release", "/api/v1/publishes/2": `"rollback": true`} {
		if _, body := w.get(path); !strings.Contains(body, mark) {
			t.Errorf("%s does not say %s: %s", path, mark, body)
		}
	}
}

// TestStagedReleasesAreListed shows what waits to go live, by whom and when; nothing of it where nothing waits.
func TestStagedReleasesAreListed(t *testing.T) {
	w := newWorld(t, func(o *dashboard.Options) {
		o.Staged = func() []reports.StagedRelease {
			return []reports.StagedRelease{
				{Release: release(7), Staged: noon().Add(-time.Hour), Until: noon().Add(time.Hour), Files: 1204, Bytes: 5_000_000, Job: "<i>eve", Due: instant(noon().Add(30 * time.Minute))},
				{Release: release(8), Staged: noon().Add(-2 * time.Hour), Until: noon().Add(2 * time.Hour), Files: 3},
			}
		}
	})
	_, page := w.get("/publishes")
	for _, want := range []string{"Staged to go live later", release(7).Short(), `<time datetime="2026-11-22T12:30:00Z">`, "&lt;i&gt;eve", "1204", "mirror publish --release " + release(8).Short()} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if items := w.document("/api/v1/staged")["items"].([]any); len(items) != 2 || items[0].(map[string]any)["job"] != "<i>eve" {
		t.Errorf("API: got %v", items)
	}
	none := newWorld(t, nil)
	if _, page := none.get("/publishes"); strings.Contains(page, "Staged") {
		t.Error("a page without staged releases speaks of some")
	}
}
