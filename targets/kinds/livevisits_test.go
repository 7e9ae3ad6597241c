package kinds_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
)

// liveVisitors visit a place by requests of their own while builds go live there.
type liveVisitors struct {
	place     visitedPlace
	random    *rand.Rand
	published []string // pages that went live, in order
	open      []*visit
	count     visitCount
}

// visit is a visitor with one or two tabs.
type visit struct {
	tabs  []tab
	mixed bool
}

// tab is a page that is open.
type tab struct {
	build int
	until int // the build during whose publish it loads its lazy asset
}

// during has visitors come while publish runs, and those who came before load their lazy assets when it is their time.
// The last time all of them do.
func (v *liveVisitors) during(t *testing.T, site builds, visits int, last bool, publish func()) {
	t.Helper()
	var publishing sync.WaitGroup
	defer func() {
		publishing.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}()
	publishing.Go(publish)
	if len(v.published) > 0 { // before, there is no page to visit
		v.visit(t, site, visits, last)
	}
}

func (v *liveVisitors) visit(t *testing.T, site builds, visits int, last bool) {
	t.Helper()
	for range visits {
		one := &visit{}
		for range 1 + v.random.IntN(2) {
			v.openTab(t, site, one)
		}
		v.open = append(v.open, one)
	}
	var open []*visit
	for _, one := range v.open {
		if v.lazy(t, site, one, last); len(one.tabs) > 0 {
			open = append(open, one)
			continue
		}
		v.count.Live++
		if one.mixed {
			v.count.Mixed++
		}
	}
	v.open = open
}

// openTab gets the page, or has a cache give that of the release before the live one, and loads the assets that it names, two at once.
func (v *liveVisitors) openTab(t *testing.T, site builds, one *visit) {
	t.Helper()
	page := v.published[max(0, len(v.published)-2)]
	if v.random.IntN(2) == 0 {
		text, status, err := fetch(t.Context(), v.place.url)
		if err != nil || status != http.StatusOK {
			t.Fatalf("%s: the page: %d, %v", v.place.kind, status, err)
		}
		page = text
	}
	build, known := site.of(page)
	if !known {
		t.Fatalf("%s: %q is the page of no build", v.place.kind, page)
	}
	eager := site.assets[build][:assetsPerRelease-1]
	answers := make([]answer, len(eager))
	var loading sync.WaitGroup
	for i, asset := range eager {
		loading.Go(func() { answers[i] = ask(t.Context(), v.place.url+asset) })
	}
	loading.Wait()
	for i, asset := range eager {
		v.met(t, site, one, build, asset, answers[i])
	}
	one.tabs = append(one.tabs, tab{build, len(v.published) + v.random.IntN(longest)})
}

// lazy loads the lazy assets of the tabs whose time it is.
func (v *liveVisitors) lazy(t *testing.T, site builds, one *visit, last bool) {
	t.Helper()
	var open []tab
	for _, tab := range one.tabs {
		if now := len(v.published); tab.until > now && !last {
			open = append(open, tab)
			continue
		}
		v.count.Late = max(v.count.Late, len(v.published)-tab.build)
		asset := site.assets[tab.build][assetsPerRelease-1]
		v.met(t, site, one, tab.build, asset, ask(t.Context(), v.place.url+asset))
	}
	one.tabs = open
}

// met counts an answer.
func (v *liveVisitors) met(t *testing.T, site builds, one *visit, build int, asset string, a answer) {
	t.Helper()
	v.count.Assets++
	switch {
	case a.err != nil || a.status != http.StatusOK && a.status != http.StatusNotFound:
		t.Fatalf("%s: %s: %d, %v", v.place.kind, asset, a.status, a.err)
	case a.status == http.StatusNotFound:
		v.count.Missing++
	case a.text != site.files[build][asset]:
		one.mixed = true
	}
}

// answer is what an origin said.
type answer struct {
	text   string
	status int
	err    error
}

func ask(ctx context.Context, url string) (a answer) {
	a.text, a.status, a.err = fetch(ctx, url)
	return a
}

func fetch(ctx context.Context, url string) (string, int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", 0, fmt.Errorf("%s: %w", url, err)
	}
	return string(text), resp.StatusCode, nil
}
