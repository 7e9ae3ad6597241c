package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/longtest"
	"mirror/internal/realserver"
	"mirror/internal/realserver/s3gateway"
	"mirror/reports"
)

// binaryDir holds the program that binary builds. TestMain makes and removes it.
var binaryDir string

// binary builds mirror once for all tests, without symbols as it is released, and returns its path.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryDir, "mirror")
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "mirror-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaryDir = dir
	if err := waitAtOnce(8); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = os.Unsetenv("AWS_CA_BUNDLE") // each bucket that is opened would read it, slowly under the race detector
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// waitAtOnce lets n tests run at once unless -parallel says how many: the tests of this
// package wait for lags and deadlines most of their time.
func waitAtOnce(n int) error {
	flag.Parse()
	parallel := flag.Lookup("test.parallel")
	if parallel.Value.String() != parallel.DefValue {
		return nil
	}
	return parallel.Value.Set(strconv.Itoa(n))
}

// realWorld is a site and a config for three kinds of target on real servers.
type realWorld struct {
	t       testing.TB
	config  string
	site    string
	pages   realserver.GitPages
	bucket  *s3gateway.Gateway
	runtime *realserver.Runtime
}

// newRealWorld starts the servers. Pages take a while to deploy.
func newRealWorld(t testing.TB, deploys time.Duration) *realWorld {
	t.Helper()
	dir := t.TempDir()
	w := &realWorld{
		t: t, config: filepath.Join(dir, "mirror.yaml"), site: filepath.Join(dir, "public"),
		pages: realserver.Pages(t, deploys), bucket: s3gateway.Start(t), runtime: realserver.NewRuntime(t),
	}
	registry := realserver.Registry(t, realserver.DockerRegistry, nil)
	rollout, err := json.Marshal(w.runtime.Rollout)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(realConfig, w.site, w.pages.Remote, w.pages.Site, w.bucket.Endpoint, w.bucket.Bucket, w.bucket.Website,
		registry+"/blog:latest", rollout, w.runtime.Site)
	if err := os.WriteFile(w.config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return w
}

const realConfig = `version: 1
site: {dir: %q, not_found: 404.html}
targets:
  - name: pages
    type: git
    url: %q
    origin: {url: %q}
  - name: bucket
    type: s3
    endpoint: %q
    bucket: %q
    path_style: true
    access_key_env: TEST_ACCESS
    secret_key_env: TEST_SECRET
    origin: {url: %q}
  - name: image
    type: oci
    image: %q
    rollout: {exec: %s}
    origin: {url: %q}
publish: {max_delete: 100%%, verify_timeout: 2m}
check: {rate: 0}
`

// write makes the site's folder hold exactly the files.
func (w *realWorld) write(files map[string]string) {
	w.t.Helper()
	if err := os.RemoveAll(w.site); err != nil {
		w.t.Fatal(err)
	}
	for path, text := range files {
		file := filepath.Join(w.site, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
}

// command prepares the real program as a user would run it.
func (w *realWorld) command(args ...string) *exec.Cmd {
	w.t.Helper()
	path, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"-c", w.config}, args...)...)
	cmd.Env = append(os.Environ(), "TEST_ACCESS="+w.bucket.AccessKey, "TEST_SECRET="+w.bucket.SecretKey)
	return cmd
}

// mirror runs the real program and wants an exit code. Its JSON goes to doc.
func (w *realWorld) mirror(code int, doc any, args ...string) (stderr string) {
	w.t.Helper()
	cmd := w.command(append(args, "--json")...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		w.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		w.t.Fatalf("mirror %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, &out, &errOut)
	}
	if doc != nil {
		if err := json.Unmarshal(out.Bytes(), doc); err != nil {
			w.t.Fatalf("mirror %s: %v\n%s", strings.Join(args, " "), err, &out)
		}
	}
	return errOut.String()
}

func (w *realWorld) publish(outcome string) reports.Publish {
	w.t.Helper()
	var doc reports.Publish
	w.mirror(exitAgree, &doc, "publish")
	if doc.Outcome != outcome {
		w.t.Errorf("outcome %s, want %s", doc.Outcome, outcome)
	}
	return doc
}

func (w *realWorld) agrees() {
	w.t.Helper()
	var doc reports.Check
	w.mirror(exitAgree, &doc, "check")
	if !doc.Agree || len(doc.Origins) != 3 || len(doc.Drift) != 0 {
		w.t.Errorf("got %+v", doc)
	}
}

// drifts wants a check to find one drift.
func (w *realWorld) drifts(code int, origin, path string, kind diff.Kind) {
	w.t.Helper()
	var doc reports.Check
	w.mirror(code, &doc, "check")
	if len(doc.Drift) != 1 || doc.Drift[0].Origin != origin || doc.Drift[0].Path != path || doc.Drift[0].Kind != kind || doc.Agree {
		w.t.Errorf("got %+v, want %s of %s on %s", doc.Drift, kind, path, origin)
	}
}

var firstSite = map[string]string{
	"index.html": "<h1>one</h1>", "about/index.html": "<h1>about</h1>", "css/site.a1.css": "a{}", "404.html": "<h1>not here</h1>",
	"posts/50% + #1?.html": "<p>odd", "文章/镜.html": "<p>镜", "old.html": "<p>old",
}

var secondSite = map[string]string{
	"index.html": "<h1>two</h1>", "about/index.html": "<h1>about</h1>", "css/site.b2.css": "b{}", "404.html": "<h1>not here</h1>",
	"posts/50% + #1?.html": "<p>odder", "文章/镜.html": "<p>镜", "new/index.html": "<p>new",
}

func TestRealServers(t *testing.T) {
	longtest.Skip(t, "publishes to real servers")
	t.Parallel()
	w := newRealWorld(t, 0)
	w.write(firstSite)
	w.publish("live")
	w.agrees()
	for _, target := range w.publish("unchanged").Targets {
		if target.SentFiles != 0 || target.SentBytes != 0 {
			t.Errorf("%s was sent %d files, %d bytes", target.Name, target.SentFiles, target.SentBytes)
		}
	}
	w.write(secondSite)
	w.publish("live")
	w.agrees()

	edit(t, filepath.Join(w.bucket.Folder, "about", "index.html"), "<h1>abOut</h1>")
	w.drifts(exitDisagree, "bucket", "about/index.html", diff.Altered)
	w.publish("live")
	w.agrees()

	page := filepath.Join(w.pages.Live, "文章", "镜.html")
	edit(t, page, "<p>鏡")
	w.drifts(exitDisagree, "pages", "文章/镜.html", diff.Altered)
	edit(t, page, secondSite["文章/镜.html"])
	w.agrees()

	w.cloneHasSite()
	w.runtime.Stop()
	var doc reports.Check
	w.mirror(exitFailed, &doc, "check")
	if got := doc.Origins[2]; got.State != diff.CannotBeSeen || !strings.Contains(got.Error, "refused") || doc.Agree {
		t.Errorf("got %+v", got)
	}
}

func edit(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cloneHasSite clones the repository with the real git and looks at what it holds.
func (w *realWorld) cloneHasSite() {
	w.t.Helper()
	clone := filepath.Join(w.t.TempDir(), "clone")
	for _, args := range [][]string{{"-C", w.pages.Repo, "fsck", "--strict", "--no-dangling"}, {"clone", "-q", w.pages.Remote, clone}} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil || strings.Contains(string(out), "error") {
			w.t.Errorf("git %v: %v: %s", args, err, out)
		}
	}
	for path, text := range secondSite {
		if got, err := os.ReadFile(filepath.Join(clone, path)); err != nil || string(got) != text {
			w.t.Errorf("clone: %s is %q, %v", path, got, err)
		}
	}
}

// TestRealSites takes the versions of a real site, in the folders that MIRROR_SITES lists,
// through all targets one after another.
func TestRealSites(t *testing.T) {
	list := os.Getenv("MIRROR_SITES")
	if list == "" {
		t.Skip("MIRROR_SITES lists no folders of real sites")
	}
	w := newRealWorld(t, 0)
	for _, dir := range filepath.SplitList(list) {
		if err := os.RemoveAll(w.site); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(w.site, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		doc := w.publish("live")
		t.Logf("%s: %d files", dir, doc.Files)
		w.agrees()
	}
}

func TestUnknownConfigKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mirror.yaml")
	edit(t, file, "version: 1\nsite: {dir: public}\ntargets:\n  - name: a\n    type: s3\n    bucekt: x\n    bucket: y\n")
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"check", "-c", file}, os.Getenv, strings.NewReader(""), &out, &errOut)
	if code != exitUsage || !strings.Contains(errOut.String(), file+":6:5:") || !strings.Contains(errOut.String(), `"bucket"`) {
		t.Errorf("exit code %d: %s", code, &errOut)
	}
}

// get reads a page, or returns "" where there is none.
func get(base, path string) (string, error) {
	resp, err := http.Get(base + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", nil
	}
	return b.String(), nil
}
