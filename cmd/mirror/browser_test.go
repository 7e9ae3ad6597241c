package main

import (
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"

	"mirror/internal/browser"
	"mirror/internal/longtest"
)

// TestDashboardInABrowser is the whole story as a person sees it: the real daemon on the lab,
// and two people who read its dashboard and never reload a page.
func TestDashboardInABrowser(t *testing.T) {
	longtest.Skip(t, "drives two browsers")
	t.Parallel()
	now, reader := browser.Start(t), browser.Start(t)
	w := newDaemonWorld(t, "schedule: [{name: look, cron: '@every 1s', run: check}, {name: live, cron: '@yearly', run: publish}]\ndaemon: {token_env: API_TOKEN}\n")
	d := w.start()
	home := d.url + "/"
	now.Open(home)
	stays(now, "now")
	now.Await("agreement", verdict("All 3 origins agree"))

	w.lab.Git.Override("/posts/3.html", says200("somebody else's post"))
	now.Await("the drift", verdict("git drifts"))
	now.Await("its row", `document.querySelector("section[aria-labelledby=drift] a[href^='/episodes/']")`)
	reader.Open(home)
	reader.Follow("section[aria-labelledby=drift] a[href^='/episodes/']")
	stays(reader, "episode")
	reader.Await("the episode", shows("git: altered", "open", "posts/3.html", "-post 3", "+somebody else's post"))
	good(now, home, "the overview of a drift")
	good(reader, home, "an open episode")

	w.lab.Git.Override("/posts/3.html", nil)
	now.Await("agreement again", verdict("All 3 origins agree"))
	reader.Await("its end", shows("git: altered", "over", "Ended\nbetween"))
	stayed(now, "now")
	stayed(reader, "episode")
	good(now, home, "the overview")
	good(reader, home, "an episode that is over")

	reader.Open(d.url + "/publishes")
	stays(reader, "releases")
	w.write("public/posts/3.html", "post 3, rewritten")
	d.post("/api/v1/publish")
	reader.Await("the second release", `document.querySelectorAll("tbody tr").length === 2 && document.querySelector("tbody tr [data-label=Outcome]").textContent.includes("live")`)
	stayed(reader, "releases")
	good(reader, home, "the releases")
	reader.Follow("tbody tr a")
	reader.Await("its window", `document.querySelectorAll("svg.window rect.new").length === 3`)
	reader.Await("its words", shows("When each origin showed the new release", "at least", "at most", "Share of readers on the new release"))
	good(reader, home, "a release")
	now.Await("agreement on it", verdict("All 3 origins agree"))
	stayed(now, "now")
	now.Quiet(home)
	d.stop(syscall.SIGTERM)
}

// stays marks the page that is shown, once it updates itself, and stops its clock, so that
// only what the daemon tells makes it do so.
func stays(b *browser.Browser, mark string) {
	b.Await("the stream of "+mark, `document.getElementById("live").textContent.startsWith("Update")`)
	b.Do(fmt.Sprintf("window.mark = %q; for (let id = setInterval(() => {}, 1e9); id; id--) clearInterval(id)", mark))
}

// stayed ends the test where the page is not the marked one, but one loaded anew.
func stayed(b *browser.Browser, mark string) {
	b.Await("the mark, which a reload loses", fmt.Sprintf("window.mark === %q", mark))
}

// good looks for what must be wrong with no page.
func good(b *browser.Browser, home, name string) {
	b.Fits(name)
	b.Quiet(home)
}

// verdict is true where the heading begins with a text.
func verdict(text string) string {
	return fmt.Sprintf(`document.querySelector("h1").textContent.includes(%q) && document.title.startsWith(%[1]q)`, text)
}

// shows is true where the page has all of the texts.
func shows(texts ...string) string {
	all := "true"
	for _, text := range texts {
		all += fmt.Sprintf(" && document.body.innerText.includes(%q)", text)
	}
	return all
}

// says200 answers everything with a page.
func says200(page string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page) // the visitor may have gone
	})
}

// post starts something by the daemon's API.
func (d *runningDaemon) post(path string) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer secret-of-the-test")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		d.t.Fatalf("POST %s: %s", path, answer.Status)
	}
}
