package kinds_test

import (
	"fmt"
	"testing"

	"mirror/internal/browser"
	"mirror/internal/longtest"
	"mirror/targets/grace"
	"mirror/targets/targettest"
)

// TestAnOpenTabLoadsItsLazyChunk opens the page of the first release in Chromium, publishes two more, and has the page
// load its lazy chunk, on the origins of all kinds in the lab. Without grace the chunk is gone.
func TestAnOpenTabLoadsItsLazyChunk(t *testing.T) {
	longtest.Skip(t, "drives a browser for each kind")
	b := browser.Start(t)
	for _, policy := range []*grace.Policy{{Releases: 2}, nil} {
		for _, p := range places(t, policy) {
			t.Run(fmt.Sprintf("%s, grace %t", p.kind, policy.On()), func(t *testing.T) { openTab(t, b, p, policy.On()) })
		}
	}
}

func openTab(t *testing.T, b *browser.Browser, p visitedPlace, served bool) {
	t.Helper()
	release := func(n int) targettest.Files {
		chunk := fmt.Sprintf("assets/lazy-3f2a9c%02d.js", n)
		return targettest.Files{
			"index.html": fmt.Sprintf(`<!doctype html><title>%d</title><link rel="icon" href="data:,"><script>
window.load = () => import("./%s").then(m => window.got = m.build, () => window.got = "missing")</script>`, n, chunk),
			chunk: fmt.Sprintf("export const build = %d", n),
		}
	}
	for n := 1; n <= 3; n++ {
		if _, err := targettest.Publish(t.Context(), p.target, targettest.Release(release(n))); err != nil {
			t.Fatal(err)
		}
		awaitPage(t, p, release(n)["index.html"])
		if n == 1 {
			b.Open(p.url)
			b.Await("the first release", `document.title === "1"`)
		}
	}
	b.Do("load()")
	b.Await("the chunk", "window.got")
	want := "missing"
	if served {
		want = "1"
	}
	if got := b.Text(`document.title + " " + window.got`); got != "1 "+want {
		t.Errorf("the tab has %q, want title and chunk %q", got, "1 "+want)
	}
}
