package edge_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"mirror/internal/lab/edge"
	"mirror/internal/lab/s3host"
	"mirror/internal/static"
)

// world is an origin without a network, so that it can live in the time of synctest.
type world struct {
	*edge.Origin
	t      *testing.T
	change func(files map[string]string, atOnce bool) // "" removes
	close  func()
	freed  atomic.Int64

	releases *edge.Deployer // nil for a bucket
}

// worlds are one of each kind of place.
func worlds() map[string]func(*testing.T) *world {
	return map[string]func(*testing.T) *world{"whole releases": releasesWorld, "bucket": bucketWorld}
}

func releasesWorld(t *testing.T) *world {
	ctx, cancel := context.WithCancel(t.Context())
	d := edge.NewDeployer(ctx, slog.New(slog.DiscardHandler), static.Options{}, http.NotFoundHandler())
	w := &world{Origin: edge.NewOrigin("w", "git", d, d), t: t, releases: d, close: func() { cancel(); d.Close() }}
	stored := map[string]string{}
	w.change = func(files map[string]string, atOnce bool) {
		maps.Copy(stored, files)
		maps.DeleteFunc(stored, func(_, content string) bool { return content == "" })
		site := maps.Clone(stored)
		build := func(context.Context) (*edge.Release, error) {
			return siteOf(d, site, func() { w.freed.Add(1) }), nil
		}
		if !atOnce {
			d.Later(build)
		} else if err := d.Now(build); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	}
	return w
}

// siteOf makes a release of files.
func siteOf(d *edge.Deployer, files map[string]string, free func()) *edge.Release {
	site, sums := fstest.MapFS{}, map[string][sha256.Size]byte{}
	for path, content := range files {
		site[path] = &fstest.MapFile{Data: []byte(content)}
		sums[path] = digest(content)
	}
	return d.Built(site, sums, free)
}

func bucketWorld(t *testing.T) *world {
	spool, err := static.NewSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := s3host.New(spool, s3host.Options{})
	w := &world{Origin: s.Origin, t: t, close: func() { spool.Close() }}
	w.change = func(files map[string]string, atOnce bool) {
		contents := map[string][]byte{}
		for path, content := range files {
			contents[path] = []byte(content)
			if content == "" {
				contents[path] = nil
			}
		}
		change := s.Change
		if atOnce {
			change = s.Edit
		}
		if err := change(t.Context(), contents); err != nil {
			t.Error(err)
		}
	}
	return w
}

// SetEdges does, and lets the instant pass at which the caches came.
func (w *world) SetEdges(e edge.Edges) {
	w.Origin.SetEdges(e)
	time.Sleep(time.Nanosecond)
}

// get asks for a path and says which cache answered.
func (w *world) get(path string) (at int, body string) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest("GET", "/"+path, nil))
	at = edgeOf(w.t, rec.Header())
	if rec.Code != http.StatusOK {
		return at, ""
	}
	return at, rec.Body.String()
}

// edgeOf reads who answered from the headers.
func edgeOf(t *testing.T, h http.Header) int {
	t.Helper()
	switch by := h.Get("X-Served-By"); by {
	case "":
		return 0
	case "origin":
		return edge.Behind
	default:
		at, err := strconv.Atoi(strings.TrimPrefix(by, "edge-"))
		if err != nil {
			t.Fatalf("X-Served-By: %s", by)
		}
		return at
	}
}

// digest is the truth's name for a content, "" being none.
func digest(content string) [sha256.Size]byte {
	if content == "" {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256([]byte(content))
}

// answer is one answer and the times around it.
type answer struct {
	path            string
	edge            int
	sum             [sha256.Size]byte
	asked, answered time.Time
}

// check holds an answer to the truth: only what was shown between asked and answered can
// have been seen.
func (a answer) check(truth edge.Turns) error {
	could := map[[sha256.Size]byte]bool{}
	var last [sha256.Size]byte // before anything was stored
	for _, turn := range truth.On(a.edge) {
		if turn.Path != a.path {
			continue
		}
		if turn.Old != last {
			return fmt.Errorf("%s at edge %d turns from %x, and was %x", a.path, a.edge, turn.Old[:2], last[:2])
		}
		last = turn.New
		if turn.At.After.Before(a.asked) {
			clear(could)
		} else {
			could[turn.Old] = true
		}
		if turn.At.Before.After(a.answered) {
			last = turn.Old
			break
		}
		could[turn.New] = true
	}
	could[last] = true
	if !could[a.sum] {
		return fmt.Errorf("%s at edge %d was %x in [%s, %s]; the truth: %s", a.path, a.edge, a.sum[:2], a.asked, a.answered, tell(truth, a))
	}
	return nil
}

// tell says how the path turned at the edge of an answer.
func tell(truth edge.Turns, a answer) string {
	var b strings.Builder
	for _, turn := range truth.On(a.edge) {
		if turn.Path == a.path {
			fmt.Fprintf(&b, "\n%x to %x in [%s, %s]", turn.Old[:2], turn.New[:2], turn.At.Before, turn.At.After)
		}
	}
	return b.String()
}

// In many random worlds every answer is what the truth says, to the nanosecond.
func TestTruthOfRandomWorlds(t *testing.T) {
	for name, newWorld := range worlds() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(40) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					defer w.close()
					answers := w.live(rand.New(rand.NewPCG(seed, 0)))
					truth := w.Turned()
					for _, a := range answers {
						if err := a.check(truth); err != nil {
							t.Fatalf("seed %d: %v", seed, err)
						}
					}
					if len(truth) == 0 {
						t.Errorf("seed %d: nothing turned", seed)
					}
				})
				if t.Failed() {
					return
				}
			}
		})
	}
}

// live lets things happen at random.
func (w *world) live(r *rand.Rand) []answer {
	late := func() time.Duration { return time.Duration(r.IntN(5)) * 10 * time.Millisecond }
	paths := []string{"a.html", "b/index.html", "c.txt", "404.html"}
	var answers []answer
	busted := r.IntN(2) == 0
	w.SetEdges(edge.Edges{Stale: []time.Duration{0, 0, 0}, Busted: busted}) // as many from the start, so that the turns of each are all there
	for event := range 400 {
		time.Sleep(time.Nanosecond) // of synctest: nothing happens at the same instant by chance
		switch r.IntN(40) {
		case 0, 1, 2:
			files := map[string]string{}
			for _, path := range paths {
				if r.IntN(2) == 0 {
					files[path] = fmt.Sprint(path, r.IntN(2)*event)
				} else if r.IntN(4) == 0 {
					files[path] = ""
				}
			}
			w.change(files, r.IntN(4) == 0)
		case 3:
			w.SetLag(late(), late())
		case 4:
			w.SetTrickle(late(), func(a, b string) int { return strings.Compare(b, a) })
		case 5:
			e := edge.Edges{Stale: []time.Duration{late(), late(), late()}, Busted: busted}
			for cache := range e.Stale {
				if r.IntN(3) == 0 {
					e.Stale[cache] = edge.Never
				}
			}
			w.SetEdges(e)
		case 6:
			time.Sleep(time.Duration(r.IntN(10)) * time.Millisecond)
		default:
			a := answer{path: paths[r.IntN(3)], asked: time.Now()}
			query := strings.Repeat("?x", r.IntN(2))
			var body string
			a.edge, body = w.get(strings.TrimSuffix(a.path, "index.html") + query)
			a.sum, a.answered = digest(body), time.Now()
			answers = append(answers, a)
			time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
		}
	}
	return answers
}
