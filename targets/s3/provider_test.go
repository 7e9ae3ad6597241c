package s3_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3"
	"mirror/targets/s3/internal/provider"
	"mirror/targets/targettest"
)

// endpointOf is an endpoint of a row's, and the region that a signature must name there.
func endpointOf(row provider.Provider) (endpoint, region string) {
	if len(row.Hosts) == 0 {
		return "http://storage.example.com", row.Region
	}
	host := strings.NewReplacer("{region}", "eu-north-9", "*", "x1").Replace(row.Hosts[0])
	if strings.Contains(row.Hosts[0], "{region}") {
		return "http://" + host, "eu-north-9"
	}
	return "http://" + host, row.Region
}

// TestEveryProvider publishes, publishes again, deletes, fails, rolls back and prunes on a fake of
// every row of the table, which refuses what that service refuses, and what the table leaves open.
func TestEveryProvider(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	for _, row := range provider.Table() {
		t.Run(row.Name, func(t *testing.T) {
			t.Parallel()
			testProvider(t, row, false)
		})
	}
	t.Run("other with everything", func(t *testing.T) {
		t.Parallel()
		row, _ := provider.Find(provider.Other)
		testProvider(t, row, true)
	})
}

func testProvider(t *testing.T, row provider.Provider, open bool) {
	endpoint, region := endpointOf(row)
	fake, transport := startProvider(t, row, endpoint, region, open)
	p := &provided{t: t, fake: fake, transport: transport, endpoint: endpoint, state: t.TempDir()}
	p.seed("index.html", "old home", "public-read")
	p.seed("news.html", "old news", "public-read")

	first := targettest.Files{"index.html": "home", "news.html": "news", "a b/+ü.css": "css", "404.html": "gone"}
	publish(t, p.open(), targettest.Release(first))
	p.visit(first)
	second := targettest.Files{"index.html": "home 2", "a b/+ü.css": "css", "404.html": "gone", "new/index.html": "new"}
	fake.again.Store(true)
	publish(t, p.open(), targettest.Release(second))
	p.visit(second)
	p.gone("news.html")

	third := targettest.Release(targettest.Files{"index.html": "home 3", "404.html": "gone 3", "x.html": "x"})
	tgt := p.open()
	plan, err := tgt.Plan(t.Context(), third)
	if err != nil {
		t.Fatal(err)
	}
	if err := tgt.Stage(t.Context(), third, nil); err != nil {
		t.Fatal(err)
	}
	swap := targets.Swap{From: plan.Live, To: third.ID()}
	fake.failing.Store(2)
	if err := tgt.Commit(t.Context(), swap); err == nil || !strings.Contains(err.Error(), "InjectedFailure") {
		t.Fatalf("the commit: got %v, want the injected failure", err)
	}
	fake.failing.Store(0)
	if err := p.open().Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	p.visit(second)
	p.gone("x.html")

	tgt = p.open()
	if err := tgt.Prune(t.Context(), targets.Retention{Keep: 2, Grace: -1}); err != nil {
		t.Error(err)
	}
	plan, err = tgt.Plan(t.Context(), targettest.Release(second))
	if err != nil || !plan.Changes.Empty() {
		t.Errorf("a plan of what is live: %+v, %v", plan.Changes, err)
	}
	fake.wantRefused(t)
	read, err := tgt.ReadBack(t.Context())
	if err != nil || read.ID() != targettest.Release(second).ID() {
		t.Errorf("read back %v, %v", read, err)
	}
}

// provided is a bucket of a fake service, for a publisher and for visitors.
type provided struct {
	t         *testing.T
	fake      *providerFake
	transport http.RoundTripper
	endpoint  string
	state     string
	config    s3.Config
	log       *slog.Logger // nil for none
}

// open gives a handle as another process of the same publisher would have it.
func (p *provided) open() *s3.Target { return p.openAs("provided") }

func (p *provided) openAs(owner string) *s3.Target {
	p.t.Helper()
	c := p.config
	c.Bucket, c.Endpoint, c.AccessKeyEnv, c.SecretKeyEnv = p.fake.bucket, p.endpoint, "TEST_KEY", "TEST_SECRET"
	if len(p.fake.row.Hosts) == 0 {
		c.Provider = p.fake.row.Name
		c.Region = p.fake.region
	}
	tgt, err := s3.Open(p.t.Context(), targets.Env{
		Owner: owner, State: p.state, Transport: p.transport, Log: p.log,
		Getenv: func(name string) string {
			return map[string]string{"TEST_KEY": fakeKey, "TEST_SECRET": fakeSecret}[name]
		},
	}, c)
	if err != nil {
		p.t.Fatal(err)
	}
	return tgt
}

// seed puts an object of another tool's.
func (p *provided) seed(key, content, acl string) {
	p.t.Helper()
	p.seedAs(key, content, http.Header{"Content-Type": {"text/html"}, "X-Amz-Acl": {acl}})
}

func (p *provided) seedAs(key, content string, header http.Header) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPut, "/"+key, strings.NewReader(content))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header = header
	r.Header.Set("Content-Length", fmt.Sprint(len(content)))
	w := &answer{header: http.Header{}}
	p.fake.serve(w, r, key)
	if w.status >= 300 {
		p.t.Fatalf("seed %s: %d %s", key, w.status, w.body.String())
	}
}

// answer keeps what a handler wrote.
type answer struct {
	header http.Header
	status int
	body   strings.Builder
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

func (p *provided) get(key string) (*http.Response, string) {
	p.t.Helper()
	u := url.URL{Scheme: "http", Host: p.fake.host, Path: "/" + p.fake.bucket + "/" + key}
	resp, err := (&http.Client{Transport: p.transport}).Get(u.String())
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp, string(body)
}

// visit reads every file as a visitor does.
func (p *provided) visit(files targettest.Files) {
	p.t.Helper()
	for path, want := range files {
		resp, body := p.get(path)
		if resp.StatusCode != http.StatusOK || body != want || resp.Header.Get("Content-Type") != site.ContentType(path, nil) {
			p.t.Errorf("a visitor of %s gets %d %q %s, want 200 %q", path, resp.StatusCode, body, resp.Header.Get("Content-Type"), want)
		}
	}
}

func (p *provided) gone(path string) {
	p.t.Helper()
	if resp, _ := p.get(path); resp.StatusCode == http.StatusOK {
		p.t.Errorf("%s is still there", path)
	}
}
