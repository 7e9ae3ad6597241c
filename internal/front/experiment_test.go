package front_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/front"
	"mirror/internal/lab/edge"
	"mirror/site"
)

// size is how much an experiment does.
type size struct {
	rounds, visitors, requests int // requests are those of a round, at least
}

// round is what one publish, with one faulty origin, came to: a line of the results.
type round struct {
	Round    int    `json:"round"`
	Seed     uint64 `json:"seed"`
	Fault    string `json:"fault"`
	Origin   int    `json:"origin"`
	Requests int64  `json:"requests"`
	Wrong    int64  `json:"wrong"`  // answers that are not of the release that they name
	Back     int64  `json:"back"`   // visitors who saw a release and then an earlier one
	Failed   int64  `json:"failed"` // requests without an answer, or with 5xx
}

// TestExperiment has keep-alive visitors ask a front while releases are published and one origin after
// another is stale, parked, altered, slow or flapping. MIRROR_EXPERIMENT=full is the long form: see the
// Makefile.
func TestExperiment(t *testing.T) {
	s := size{rounds: 10, visitors: 20, requests: 300}
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		s = size{rounds: 100, visitors: 200, requests: 10_000}
	} else {
		t.Parallel()
	}
	seed := uint64(1)
	if text := os.Getenv("MIRROR_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	results := os.Getenv("MIRROR_RESULTS")
	x := &experiment{world: newWorld(t, 4, front.Options{Quorum: 2, Disk: 1 << 30}), seed: seed, releases: map[string]int{}}
	x.run(s, done(t, results, seed), results)
}

// done returns how many rounds an earlier run has made.
func done(t *testing.T, results string, seed uint64) (n int) {
	t.Helper()
	file, err := os.Open(results)
	if results == "" || errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r round
		if json.Unmarshal(lines.Bytes(), &r) == nil && r.Seed == seed {
			n = max(n, r.Round+1)
		}
	}
	return n
}

// experiment is a world with the truth about its releases.
type experiment struct {
	*world
	seed uint64

	mu       sync.RWMutex // guards what follows
	releases map[string]int
	truth    []map[string]site.Digest

	requests, wrong, back, failed atomic.Int64
	first                         atomic.Pointer[string] // what went wrong first
}

// files are those of a release: of 30 pages some change, and some are not there.
func (x *experiment) files(n int) map[string]string {
	random := rand.New(rand.NewPCG(x.seed, uint64(n)))
	files := map[string]string{"index.html": fmt.Sprintf("home of %d", n), "404.html": fmt.Sprintf("lost in %d", n/3), "style.css": "body{}"}
	for i := range 30 {
		if random.IntN(10) > 0 {
			files[fmt.Sprintf("p%d/index.html", i)] = fmt.Sprintf("page %d, changed by %d", i, n-n%(1+i%5))
		}
	}
	files[fmt.Sprintf("assets/app.%d.js", n)] = fmt.Sprintf("app(%d)", n)
	return files
}

func (x *experiment) release(n int) *site.Release {
	rel := release(x.t, int64(n+1), x.files(n))
	truth := map[string]site.Digest{}
	for _, f := range rel.Manifest {
		truth[f.Path] = f.Digest
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.releases[string(rel.ID())] = len(x.truth)
	x.truth = append(x.truth, truth)
	return rel
}

// faults are the ways in which one origin fails, in turn. A stale one gets no new release.
func faults() []struct {
	name  string
	fault edge.Fault
} {
	altered := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/"+site.DefaultBeacon {
				next.ServeHTTP(w, r)
				return
			}
			_, _ = io.WriteString(w, "<script>evil()</script>")
		})
	}
	slow := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(300 * time.Millisecond):
			case <-r.Context().Done():
			}
			next.ServeHTTP(w, r)
		})
	}
	parked := func(http.Handler) http.Handler {
		return http.RedirectHandler("https://parked.example/", http.StatusMovedPermanently)
	}
	return []struct {
		name  string
		fault edge.Fault
	}{{"stale", nil}, {"parked", parked}, {"altered", altered}, {"slow", slow}, {"flapping", edge.Sometimes(0.5, edge.Reset)}}
}

func (x *experiment) run(s size, begin int, results string) {
	x.publish(x.release(begin), 0, 1, 2, 3)
	x.start()
	x.await("/", fmt.Sprintf("home of %d", begin))
	ctx, cancel := context.WithCancel(x.t.Context())
	var visitors sync.WaitGroup
	for i := range s.visitors {
		visitors.Go(func() { x.visit(ctx, rand.New(rand.NewPCG(x.seed, uint64(i)))) })
	}
	for n := begin; n < s.rounds; n++ {
		r := x.round(n, s)
		x.record(results, r)
		if text := x.first.Load(); text != nil {
			x.t.Errorf("round %d, %s: %s", n, r.Fault, *text)
			break
		}
	}
	cancel()
	visitors.Wait()
}

// round publishes to all origins but the faulty one, one after another, and waits until all visitors are
// on the new release.
func (x *experiment) round(n int, s size) round {
	all := faults()
	bad, fault := n%len(x.origins), all[n%len(all)]
	before := x.counts()
	rel := x.release(n + 1)
	x.origins[bad].breakBy(fault.fault)
	random := rand.New(rand.NewPCG(x.seed, uint64(n)<<32))
	for _, i := range random.Perm(len(x.origins)) {
		if i != bad || fault.fault != nil {
			x.publish(rel, i)
			asked := x.requests.Load()
			x.eventually(func() bool { return x.requests.Load() >= asked+int64(random.IntN(50)) }, func() string { return "the visitors stand still" })
		}
	}
	x.await("/", fmt.Sprintf("home of %d", n+1))
	x.eventually(func() bool { return x.requests.Load() >= before.Requests+int64(s.requests) }, func() string { return "the visitors stand still" })
	x.origins[bad].breakBy(nil)
	x.publish(rel, bad)
	r := x.counts()
	return round{n, x.seed, fault.name, bad, r.Requests - before.Requests, r.Wrong - before.Wrong, r.Back - before.Back, r.Failed - before.Failed}
}

func (x *experiment) counts() round {
	return round{Requests: x.requests.Load(), Wrong: x.wrong.Load(), Back: x.back.Load(), Failed: x.failed.Load()}
}

func (x *experiment) record(results string, r round) {
	x.t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Logf("%s", text)
	if results == "" {
		return
	}
	file, err := os.OpenFile(results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		x.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(append(text, '\n')); err != nil {
		x.t.Fatal(err)
	}
}

// visit is one visitor, on a connection of its own.
func (x *experiment) visit(ctx context.Context, random *rand.Rand) {
	transport := &http.Transport{MaxConnsPerHost: 1}
	defer transport.CloseIdleConnections()
	latest := 0
	for ctx.Err() == nil {
		path := fmt.Sprintf("p%d/index.html", random.IntN(30))
		url := x.url + "/" + path[:len(path)-len("index.html")]
		if random.IntN(4) == 0 {
			path, url = "index.html", x.url+"/"
		}
		n, trouble := x.ask(ctx, transport, url, path)
		if ctx.Err() != nil {
			return
		}
		if trouble == "" && n < latest {
			x.back.Add(1)
			trouble = fmt.Sprintf("a visitor who had seen release %d gets %d", latest, n)
		}
		latest = max(latest, n)
		if trouble != "" {
			x.first.CompareAndSwap(nil, &trouble)
		}
		x.requests.Add(1)
	}
}

// ask asks for a page, and compares the answer with the release that it says it is of.
func (x *experiment) ask(ctx context.Context, via http.RoundTripper, url, path string) (n int, trouble string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set(front.DebugHeader, "1")
	resp, err := via.RoundTrip(req)
	if err != nil {
		x.failed.Add(1)
		return 0, err.Error()
	}
	defer resp.Body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, resp.Body); err != nil {
		x.failed.Add(1)
		return 0, err.Error()
	}
	if resp.StatusCode >= 500 {
		x.failed.Add(1)
		return 0, fmt.Sprintf("%s answers %d", url, resp.StatusCode)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	n, known := x.releases[resp.Header.Get("X-Mirror-Release")]
	if !known {
		x.wrong.Add(1)
		return 0, fmt.Sprintf("%s answers with release %q", url, resp.Header.Get("X-Mirror-Release"))
	}
	status := http.StatusOK
	want, there := x.truth[n][path]
	if !there {
		status, want = http.StatusNotFound, x.truth[n]["404.html"]
	}
	if site.Digest(h.Sum(nil)) != want || resp.StatusCode != status {
		x.wrong.Add(1)
		return n, fmt.Sprintf("%s answers %d with other bytes than those of release %d", url, resp.StatusCode, n)
	}
	return n, ""
}
