package git

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"mirror/internal/longtest"
	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/git/internal/wire"
	"mirror/targets/targettest"
)

// counter counts what a target asks of a server, and what it sends.
type counter struct{ requests, fetches, sent atomic.Int64 }

func (c *counter) RoundTrip(req *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	if strings.HasSuffix(req.URL.Path, "/"+string(wire.UploadPack)) {
		c.fetches.Add(1)
	}
	if req.Body != nil {
		req = req.Clone(req.Context())
		req.Body = &countedBody{ReadCloser: req.Body, sent: &c.sent}
	}
	return http.DefaultTransport.RoundTrip(req)
}

func (c *counter) reset() { c.requests.Store(0); c.fetches.Store(0); c.sent.Store(0) }

type countedBody struct {
	io.ReadCloser
	sent *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.sent.Add(int64(n))
	return n, err
}

// shape is a site to publish: how many files, where, and how large.
type shape struct {
	name  string
	files int
	path  func(i int) string
	size  int
}

var shapes = []shape{
	{"tiny files in one folder", 5000, func(i int) string { return fmt.Sprintf("%05d.html", i) }, 20},
	{"pages in a hundred folders", 1500, func(i int) string { return fmt.Sprintf("posts/%02d/%04d/index.html", i%100, i) }, 4000},
}

// site makes the files; those that every divides say that they are of another round.
func (s shape) site(every, round int) targettest.Files {
	files := make(targettest.Files, s.files)
	for i := range s.files {
		text := fmt.Sprintf("page %d ", i)
		if i%every == 0 {
			text += fmt.Sprintf("round %d ", round)
		}
		page := []byte(text)
		for n := 0; len(page) < s.size; n++ { // compresses about as HTML does
			page = append(strconv.AppendInt(append(page, "<p>"...), int64((i+1)*(n+7919)), 16), "</p> some words that every page has\n"...)
		}
		files[s.path(i)] = string(page)
	}
	return files
}

// TestSentBytes changes one file in a hundred: what is sent is at most 1.2 times the
// changed bytes and 64 KB, also by a machine that has never published before.
func TestSentBytes(t *testing.T) {
	longtest.Skip(t, "publishes large sites")
	t.Parallel()
	for _, sh := range shapes {
		before, after := sh.site(100, 1), sh.site(100, 2)
		for _, filter := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, filter %v", sh.name, filter), func(t *testing.T) {
				t.Parallel()
				r := newRepo(t, "main")
				r.run(t, nil, nil, "config", "uploadpack.allowFilter", fmt.Sprint(filter))
				url := realserver.GitHTTP(t, filepath.Dir(r.dir)) + "/site.git"
				publish(t, open(t, Config{URL: url}, targets.Env{}), before)
				count := &counter{}
				tgt := open(t, Config{URL: url}, targets.Env{Transport: count})
				plan, err := tgt.Plan(t.Context(), targettest.Release(after))
				if err != nil {
					t.Fatal(err)
				}
				publish(t, tgt, after)
				limit := plan.Bytes*12/10 + 64<<10
				t.Logf("%d files of %d bytes changed: %d bytes sent", len(plan.Changes.Change), plan.Bytes, count.sent.Load())
				if len(plan.Changes.Change) != sh.files/100 || count.sent.Load() > limit {
					t.Errorf("sent: got %d bytes for %d changed files, want at most %d for %d",
						count.sent.Load(), len(plan.Changes.Change), limit, sh.files/100)
				}
				r.fsck(t)
			})
		}
	}
}

// TestStateSavesFetches publishes twice from one machine, by two processes.
func TestStateSavesFetches(t *testing.T) {
	r := newRepo(t, "main")
	url := realserver.GitHTTP(t, filepath.Dir(r.dir)) + "/site.git"
	count, state := &counter{}, t.TempDir()
	fresh := func() *Target { return open(t, Config{URL: url}, targets.Env{Transport: count, State: state}) }
	for _, files := range []targettest.Files{v1, v2, v1} {
		publish(t, fresh(), files)
	}
	if got := count.fetches.Load(); got != 0 {
		t.Errorf("fetches: got %d, want none", got)
	}
	count.reset()
	if err := fresh().Stage(t.Context(), targettest.Release(v1), nil); err != nil {
		t.Fatal(err)
	}
	if requests, sent := count.requests.Load(), count.sent.Load(); requests != 1 || sent != 0 {
		t.Errorf("stage of what is live: got %d requests and %d bytes, want 1 and 0", requests, sent)
	}
}

// TestDamagedState publishes with a state folder that a crash has left in pieces.
func TestDamagedState(t *testing.T) {
	realserver.Need(t, "git")
	r, state := newRepo(t, "main"), t.TempDir()
	publish(t, open(t, Config{URL: r.dir}, targets.Env{State: state}), v1)
	damaged := 0
	err := filepath.Walk(state, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		damaged++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text[len(text)/3] ^= 0x55
		return os.WriteFile(path, text, 0o600)
	})
	if err != nil || damaged < 2 {
		t.Fatalf("damaged %d files: %v", damaged, err)
	}
	publish(t, open(t, Config{URL: r.dir}, targets.Env{State: state}), v2)
	r.want(t, "index.html", "two")
	r.fsck(t)
}

func BenchmarkStage(b *testing.B) {
	sh := shapes[1]
	sh.files = 5000
	for _, bc := range []struct {
		name  string
		round func(i int) int
	}{
		{"unchanged", func(int) int { return 0 }},
		{"changed 1%", func(i int) int { return i + 1 }},
	} {
		b.Run(bc.name, func(b *testing.B) {
			r := newRepo(b, "main")
			url := realserver.GitHTTP(b, filepath.Dir(r.dir)) + "/site.git"
			state := b.TempDir()
			publish(b, open(b, Config{URL: url}, targets.Env{State: state}), sh.site(100, 0))
			count := &counter{}
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				rel := targettest.Release(sh.site(100, bc.round(i)))
				tgt := open(b, Config{URL: url}, targets.Env{Transport: count, State: state})
				b.StartTimer()
				if err := tgt.Stage(b.Context(), rel, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(count.requests.Load())/float64(b.N), "requests/op")
			b.ReportMetric(float64(count.sent.Load())/float64(b.N), "sent-bytes/op")
		})
	}
}
