package demo

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mirror/internal/front"
	"mirror/internal/humanize"
	"mirror/internal/lab/edge"
	"mirror/internal/wait"
	"mirror/internal/workspace"
	"mirror/site"
)

// frontStory is the story with a front and two visitors.
type frontStory struct {
	*steps
	url string

	mu       sync.Mutex // guards releases
	releases map[string]known

	asked, wrong, back, failed atomic.Int64
	said                       atomic.Pointer[string] // what went wrong last
}

// known is a release that was published.
type known struct {
	number int
	files  map[string]site.Digest
}

// runFront tells the story of a front. Visitors ask all the time while origins fail one after another.
func (s *steps) runFront(ctx context.Context) error {
	st := &frontStory{steps: s, releases: map[string]known{}}
	s.doc.OK = true
	err := s.each(ctx, []step{{"publish v1", func() (string, error) { return s.first(ctx, workspace.PublishOptions{NoVerify: true}) }}})
	if err != nil || !s.doc.OK {
		return err
	}
	if err := st.learn(ctx); err != nil {
		return err
	}
	return s.in(func(w *workspace.Workspace) error {
		f, err := w.Front(nil, nil)
		if err != nil {
			return err
		}
		defer f.Close()
		return st.serve(ctx, f)
	})
}

// serve serves the front on a free port, with two visitors, for the rest of the story.
func (st *frontStory) serve(ctx context.Context, f *front.Front) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	st.url = "http://" + l.Addr().String()
	server := &http.Server{Handler: f, ReadHeaderTimeout: time.Minute}
	following, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { _ = server.Serve(l) }) // ends by Close below
	all.Go(func() { f.Run(following) })
	defer func() { stop(); _ = server.Close(); all.Wait() }()
	if err := st.waitFor(ctx, func() bool { return f.Status().Release != site.None }); err != nil {
		return err
	}
	for range 2 {
		all.Go(func() { st.visit(following) })
	}
	git, s3, registry := st.lab.Git.Origin, st.lab.S3.Origin, st.lab.Registry.Origin
	return st.each(ctx, []step{
		{"two visitors", func() (string, error) { return st.watch(ctx, "all is well") }},
		{"publish v2", func() (string, error) { return st.move(ctx, f, func() (string, error) { return st.second(ctx) }) }},
		{"publish v3, git is altered", func() (string, error) {
			git.SetFault(altering)
			return st.move(ctx, f, func() (string, error) { return st.third(ctx) })
		}},
		{"s3 is parked", func() (string, error) {
			s3.SetFault(parking)
			return st.watch(ctx, "s3 answers 301 to a parking page")
		}},
		{"git and s3 are whole again", func() (string, error) {
			git.SetFault(nil)
			s3.SetFault(nil)
			return st.watch(ctx, "the front finds that out by itself")
		}},
		{"registry is down", func() (string, error) {
			registry.Down(true)
			return st.watch(ctx, "every connection to it is cut")
		}},
		{"all are down", func() (string, error) {
			git.Down(true)
			s3.Down(true)
			return st.watch(ctx, "the front serves from its cache")
		}},
		{"all are up", func() (string, error) {
			for _, o := range st.lab.Origins() {
				o.Down(false)
			}
			return st.watch(ctx, "")
		}},
	})
}

// third publishes while an origin serves other bytes: the publish says so, and the front moves with those
// that hold the release.
func (st *frontStory) third(ctx context.Context) (string, error) {
	pages := map[string]string{}
	for i := 1; i <= demoPages; i++ {
		pages[fmt.Sprintf("%s/page %d 镜.html", demoFolder, i)] = demoPage(i + 100)
	}
	if err := st.write(pages); err != nil {
		return "", err
	}
	return st.publishBy(ctx, "diverged", workspace.PublishOptions{VerifyTimeout: time.Second})
}

// altering has every page be another one, but for the beacon.
func altering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/"+site.DefaultBeacon {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Set-Cookie", "stolen=1")
		_, _ = io.WriteString(w, "<script src=https://evil.example/x.js></script>") // the front may have gone
	})
}

var parking edge.Fault = func(http.Handler) http.Handler {
	return http.RedirectHandler("https://parked.example/", http.StatusMovedPermanently)
}

// learn remembers what is live now, as the next release.
func (st *frontStory) learn(ctx context.Context) error {
	return st.in(func(w *workspace.Workspace) error {
		past, err := w.LastPublished(ctx)
		if err != nil {
			return err
		}
		files := map[string]site.Digest{}
		for _, f := range past.Manifest {
			files[f.Path] = f.Digest
		}
		st.mu.Lock()
		defer st.mu.Unlock()
		st.releases[string(past.Release)] = known{len(st.releases) + 1, files}
		return nil
	})
}

// move publishes, and says when the front had moved all visitors.
func (st *frontStory) move(ctx context.Context, f *front.Front, publish func() (string, error)) (string, error) {
	before := f.Status().Release
	detail, err := publish()
	if err == nil {
		err = st.learn(ctx)
	}
	if err == nil {
		err = st.waitFor(ctx, func() bool { return f.Status().Release != before })
	}
	if err != nil {
		return "", err
	}
	seen, err := st.watch(ctx, fmt.Sprintf("all visitors moved at once, %s of origins refused", humanize.Plural(int(f.Status().Wrong), "answer")))
	return detail + "; " + seen, err
}

// enough is how many answers each part of the story waits for.
const enough = 200

// watch says what the visitors got in the meantime.
func (st *frontStory) watch(ctx context.Context, what string) (string, error) {
	from := st.asked.Load()
	if err := st.waitFor(ctx, func() bool { return st.asked.Load() >= from+enough }); err != nil {
		return "", err
	}
	detail := fmt.Sprintf("%d answers so far: %d wrong, %d failed, %d visitors thrown back", st.asked.Load(), st.wrong.Load(), st.failed.Load(), st.back.Load())
	if what != "" {
		detail = what + "; " + detail
	}
	if st.wrong.Load()+st.failed.Load()+st.back.Load() > 0 {
		return "", fmt.Errorf("%s: %s", detail, *st.said.Load())
	}
	return detail, nil
}

var errSlow = errors.New("nothing came of it within two minutes")

// waitFor waits until something is so.
func (st *frontStory) waitFor(ctx context.Context, so func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, errSlow)
	defer cancel()
	for !so() {
		if wait.Sleep(ctx, 5*time.Millisecond) != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// visited lists what a visitor asks for: pages that change, one that is new and one that goes.
func visited() []string {
	paths := []string{"index.html", removedPage, demoFolder + "/second.html"}
	for i := 1; i <= demoPages; i++ {
		paths = append(paths, fmt.Sprintf("%s/page %d 镜.html", demoFolder, i))
	}
	return paths
}

// visit is one visitor, who goes through the pages again and again on one connection.
func (st *frontStory) visit(ctx context.Context) {
	transport := &http.Transport{MaxConnsPerHost: 1}
	defer transport.CloseIdleConnections()
	latest := 0
	for ctx.Err() == nil {
		for _, path := range visited() {
			n, err := st.ask(ctx, transport, path)
			if ctx.Err() != nil {
				return
			}
			if err == nil && n < latest {
				st.back.Add(1)
				err = fmt.Errorf("release %d after release %d", n, latest)
			}
			if latest = max(latest, n); err != nil {
				text := err.Error()
				st.said.Store(&text)
			}
			st.asked.Add(1)
		}
		_ = wait.Sleep(ctx, 5*time.Millisecond) // ends with ctx
	}
}

// ask asks for a page, and compares its bytes with the release that they are said to be of.
func (st *frontStory) ask(ctx context.Context, via http.RoundTripper, path string) (n int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, st.url+"/"+site.URLStyle{}.URLPath(path), nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set(front.DebugHeader, "1")
	resp, err := via.RoundTrip(req)
	if err != nil {
		st.failed.Add(1)
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 500 {
		st.failed.Add(1)
		return 0, fmt.Errorf("%s answers %d, %w", path, resp.StatusCode, err)
	}
	if err := st.waitFor(ctx, func() bool { _, ok := st.release(resp); return ok }); err != nil { // it is live before the publish has ended
		st.wrong.Add(1)
		return 0, fmt.Errorf("%s is said to be of a release that was never published", path)
	}
	r, _ := st.release(resp)
	want, there := r.files[path]
	if !there {
		want = r.files["404.html"]
	}
	if sha256.Sum256(body) != want && (there || !want.IsZero()) || there != (resp.StatusCode == http.StatusOK) {
		st.wrong.Add(1)
		return r.number, fmt.Errorf("%s answers %d with other bytes than those of release %d", path, resp.StatusCode, r.number)
	}
	return r.number, nil
}

func (st *frontStory) release(resp *http.Response) (known, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	r, ok := st.releases[resp.Header.Get("X-Mirror-Release")]
	return r, ok
}
