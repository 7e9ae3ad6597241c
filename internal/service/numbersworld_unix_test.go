//go:build unix

package service_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/diff"
	"mirror/site"
)

// worldFault is a drift of one origin. Faults have different pairs of origin and kind, so that each is an
// episode of its own.
type worldFault struct {
	origin string
	kind   diff.Kind
	whole  bool   // the origin answers nothing at all
	only   string // with what begins the paths for which it answers nothing; "" for all
	// from and length are counted in requests to the world: the number of the request with which it
	// begins, and how many later it ends.
	from, length int64

	begun      int64 // the request with which it began
	start, end time.Time
}

// page is the path that drifts.
func (f *worldFault) page() string { return pageOf(f.kind) }

func pageOf(kind diff.Kind) string { return string(kind) + ".html" }

// request is one that an origin decided on: fault is the one that the answer shows, nil for none.
type request struct {
	path  string
	at    time.Time
	fault *worldFault
}

// numbersWorld serves one folder as many origins, each with faults of its own. It notes what each answer shows,
// on the clock by which faults begin and end.
type numbersWorld struct {
	t       testing.TB
	dir     string
	origins []string
	urls    map[string]string
	lag     map[string]time.Duration
	hook    *numbersHook

	mu     sync.Mutex
	count  int64 // requests, and those that time has passed for
	frozen bool  // no fault begins
	faults []*worldFault
	asked  map[string][]request // by origin
}

// numbersPlan is the size of a world.
type numbersPlan struct {
	origins, faults int
	checks          int64 // for about how many checks faults begin
	slowest         time.Duration
}

// requestsPerCheck is about how many requests one check sends to each origin.
const requestsPerCheck = 16

// newNumbersWorld makes the world of a seed.
func newNumbersWorld(t testing.TB, seed uint64, plan numbersPlan) *numbersWorld {
	w := &numbersWorld{
		t: t, dir: t.TempDir(), urls: map[string]string{}, lag: map[string]time.Duration{}, asked: map[string][]request{}, frozen: true,
		hook: newNumbersHook(t),
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range plan.origins {
		name := fmt.Sprintf("o%02d", i)
		server := httptest.NewServer(w.originHandler(name))
		t.Cleanup(server.Close)
		w.origins, w.urls[name] = append(w.origins, name), server.URL+"/"
		if plan.slowest > 0 {
			w.lag[name] = time.Duration(rng.Int64N(int64(plan.slowest)))
		}
	}
	w.faults = randomFaults(rng, w.origins, plan)
	w.writeSite(0)
	w.write("mirror.yaml", w.config())
	return w
}

// randomFaults makes faults of each kind in turn.
func randomFaults(rng *rand.Rand, origins []string, plan numbersPlan) (all []*worldFault) {
	check := int64(len(origins)) * requestsPerCheck
	kinds := diff.Kinds()
	order := map[diff.Kind][]int{}
	for i := range plan.faults {
		kind := kinds[i%len(kinds)]
		if order[kind] == nil {
			order[kind] = rng.Perm(len(origins))
		}
		all = append(all, &worldFault{
			origin: origins[order[kind][i/len(kinds)]], kind: kind, whole: kind == diff.Unreachable && i/len(kinds)%2 == 0,
			from: rng.Int64N(plan.checks * check), length: check/4 + rng.Int64N(3*check),
		})
	}
	return all
}

func (w *numbersWorld) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// writeSite writes the n-th release. The page of what is extra is in the first alone.
func (w *numbersWorld) writeSite(n int) {
	w.write("public/index.html", homeOf(n))
	w.write("public/same.html", "the same in each release")
	for _, kind := range diff.Kinds() {
		if kind != diff.Extra {
			w.write("public/"+pageOf(kind), text(kind, n))
		}
	}
	extra := "public/" + pageOf(diff.Extra)
	if n == 0 {
		w.write(extra, "removed")
	} else if err := os.Remove(filepath.Join(w.dir, extra)); err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
}

func homeOf(n int) string { return fmt.Sprint("home of release ", n) }

func text(kind diff.Kind, n int) string { return fmt.Sprintf("%s page of release %d", kind, n) }

func (w *numbersWorld) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nsite: {dir: public}\ntargets: [{name: o00, type: dir, path: live, origin: {url: %q}}]\norigins:\n", w.urls["o00"])
	for _, name := range w.origins[1:] {
		fmt.Fprintf(&b, "  - {name: %s, url: %q}\n", name, w.urls[name])
	}
	fmt.Fprintf(&b, "check: {timeout: 10m, concurrency: 2, rate: 0, headers: [x-frame-options]}\n"+
		"schedule: [{name: look, cron: '@every 1s', run: check}, {name: live, cron: '@yearly', run: publish, catch_up: false}]\n"+
		"notify: [{name: hook, url: %q}]\ndaemon: {token_env: NUMBERS_TOKEN}\n", w.hook.url)
	return b.String()
}

// originHandler serves one origin: half of its lag before it decides, and half of it afterwards.
func (w *numbersWorld) originHandler(origin string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/")
		if path == "" || strings.HasSuffix(path, "/") {
			path += "index.html"
		}
		time.Sleep(w.lag[origin] / 2)
		f := w.decide(origin, path)
		time.Sleep(w.lag[origin] / 2)
		if f != nil && f.answer(rw, r) {
			return
		}
		content, err := os.ReadFile(filepath.Join(w.dir, "live", "current", filepath.FromSlash(path)))
		if err != nil {
			http.NotFound(rw, r)
			return
		}
		if rw.Header().Get("X-Frame-Options") == "" {
			rw.Header().Set("X-Frame-Options", "DENY")
		}
		if rw.Header().Get("Content-Type") == "" {
			rw.Header().Set("Content-Type", site.ContentType(path, content))
		}
		_, _ = rw.Write(content)
	}
}

// decide begins and ends what is due with this request, and returns what its answer shows.
func (w *numbersWorld) decide(origin, path string) (shown *worldFault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.advance(1)
	for _, f := range w.faults {
		if f.active() && f.origin == origin && f.covers(path) && (f.whole || shown == nil) {
			shown = f
		}
		if shown != nil && shown.whole {
			break
		}
	}
	w.asked[origin] = append(w.asked[origin], request{path, now, shown})
	return shown
}

// advance begins and ends what is due; the caller holds mu.
func (w *numbersWorld) advance(requests int64) (now time.Time) {
	w.count += requests
	now = time.Now()
	for _, f := range w.faults {
		switch {
		case f.start.IsZero() && !w.frozen && w.count >= f.from:
			f.begun, f.start = w.count, now
		case f.active() && w.count >= f.begun+f.length:
			f.end = now
		}
	}
	return now
}

// covers reports whether an answer for a path shows the fault.
func (f *worldFault) covers(path string) bool {
	if f.whole {
		return strings.HasPrefix(path, f.only)
	}
	return f.page() == path
}

func (f *worldFault) active() bool { return !f.start.IsZero() && f.end.IsZero() }

// answer answers with the fault, and reports whether that is all of the answer.
func (f *worldFault) answer(rw http.ResponseWriter, r *http.Request) bool {
	html := func(text string) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(rw, text)
	}
	switch f.kind {
	case diff.Missing:
		http.NotFound(rw, r)
	case diff.Stale:
		rw.Header().Set("X-Frame-Options", "DENY")
		html(text(diff.Stale, 0))
	case diff.Extra:
		html("removed")
	case diff.Altered:
		rw.Header().Set("X-Frame-Options", "DENY")
		html("other bytes")
	case diff.Redirected:
		http.Redirect(rw, r, "https://parked.example/", http.StatusFound)
	case diff.Mistyped:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		return false
	case diff.Headers:
		rw.Header().Set("X-Frame-Options", "SAMEORIGIN")
		return false
	default:
		if f.whole {
			panic(http.ErrAbortHandler) // the connection ends without an answer
		}
		http.Error(rw, "broken", http.StatusInternalServerError)
	}
	return true
}

// pass lets so many requests' time pass while no daemon asks.
func (w *numbersWorld) pass(requests int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(requests)
}

// standing tells how far the world is.
func (w *numbersWorld) standing() (count int64, active, waiting int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.faults {
		if f.active() {
			active++
		}
		if f.start.IsZero() {
			waiting++
		}
	}
	return w.count, active, waiting
}

func (w *numbersWorld) freeze(frozen bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = frozen
}

// numbersHook is a webhook that fails while it is told to.
type numbersHook struct {
	url string

	mu                sync.Mutex
	failing           bool
	accepted, refused int
	told              map[string]numbersEvent // by message and event: a message may come twice
}

// numbersEvent is what the webhook is told of an episode.
type numbersEvent struct {
	Kind, Episode, Change, Origin string
	Open                          bool
	Counts                        map[diff.Kind]int
	Opened                        time.Time
	Closed                        *time.Time
}

func newNumbersHook(t testing.TB) *numbersHook {
	h := &numbersHook{told: map[string]numbersEvent{}}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var m struct {
			ID     string
			Events []numbersEvent
		}
		err := json.NewDecoder(r.Body).Decode(&m)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.failing || err != nil {
			h.refused++
			http.Error(rw, "not now", http.StatusServiceUnavailable)
			return
		}
		h.accepted++
		for i, e := range m.Events {
			if e.Kind != "drift" && e.Kind != "unreachable" {
				continue // such as a check that is overdue on a busy machine
			}
			h.told[fmt.Sprint(m.ID, " ", i)] = e
		}
	}))
	t.Cleanup(server.Close)
	h.url = server.URL + "/hook"
	return h
}

func (h *numbersHook) fail(failing bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failing = failing
}

func (h *numbersHook) counts() (accepted, refused int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.accepted, h.refused
}

// events lists what was told, each once.
func (h *numbersHook) events() []numbersEvent {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []numbersEvent
	for _, e := range h.told {
		all = append(all, e)
	}
	return all
}
