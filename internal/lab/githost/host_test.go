package githost

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/internal/lab/edge/edgetest"
	"mirror/internal/static"
)

// start starts a host until the test ends.
func start(t *testing.T, o Options) *Host {
	t.Helper()
	spool, err := static.NewSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { spool.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	h := New(ctx, spool, o)
	t.Cleanup(h.Close)
	t.Cleanup(cancel)
	if err := h.Serve(edgetest.Listen(t)); err != nil {
		t.Fatal(err)
	}
	edgetest.Serve(t, h.Origin)
	return h
}

// git runs the real client in a folder and returns what it printed.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(t, dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func tryGit(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		if os.Getenv("MIRROR_REQUIRE_REAL") != "" {
			t.Fatal(err)
		}
		t.Skip("needs the git program")
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{"-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "protocol.version=2"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// checkout makes a repository with some commits on gh-pages that knows the lab's remote.
func checkout(t *testing.T, h *Host) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", h.Branch)
	git(t, dir, "remote", "add", "origin", h.Remote)
	save(t, dir, ".nojekyll", "")
	for i := range 3 {
		save(t, dir, "index.html", fmt.Sprintf("home %d", i))
		save(t, dir, fmt.Sprintf("posts/%d/页.html", i), strings.Repeat(fmt.Sprintf("post %d\n", i), 500))
		git(t, dir, "add", "-A")
		git(t, dir, "commit", "-q", "-m", fmt.Sprint("c", i))
	}
	return dir
}

func save(t *testing.T, dir, name, content string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func commit(t *testing.T, dir, message string) {
	t.Helper()
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", message)
}

// clone clones with the options and checks the objects and one file.
func clone(t *testing.T, h *Host, file, content string, options ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, t.TempDir(), append(append([]string{"clone", "-q"}, options...), h.Remote, dir)...)
	git(t, dir, "fsck", "--strict", "--full")
	if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != content {
		t.Errorf("clone %v: %s = %.40q, %v; want %.40q", options, file, got, err, content)
	}
	return dir
}

func TestClone(t *testing.T) {
	h := start(t, Options{})
	dir := checkout(t, h)
	git(t, dir, "tag", "-a", "v1", "-m", "v1", "HEAD~1")
	git(t, dir, "push", "-q", "--tags", "origin", "HEAD")

	full := clone(t, h, "index.html", "home 2")
	if got := git(t, full, "rev-list", "--count", "HEAD"); got != "3" {
		t.Errorf("the clone has %s commits, want 3", got)
	}
	if got, want := git(t, full, "rev-parse", "v1^{commit}"), git(t, dir, "rev-parse", "HEAD~1"); got != want {
		t.Errorf("the tag stands for %s, want %s", got, want)
	}

	shallow := clone(t, h, "index.html", "home 2", "--depth", "1")
	if got := git(t, shallow, "rev-list", "--count", "HEAD"); got != "1" {
		t.Errorf("the shallow clone has %s commits, want 1", got)
	}
	git(t, shallow, "fetch", "-q", "--depth", "2")
	if got := git(t, shallow, "rev-list", "--count", "HEAD"); got != "2" {
		t.Errorf("deepened to %s commits, want 2", got)
	}
	git(t, shallow, "fetch", "-q", "--unshallow")
	if got := git(t, shallow, "rev-list", "--count", "HEAD"); got != "3" {
		t.Errorf("the clone made whole has %s commits, want 3", got)
	}
	git(t, shallow, "fsck", "--strict", "--full")
}

func TestPartialClone(t *testing.T) {
	h := start(t, Options{})
	dir := checkout(t, h)
	git(t, dir, "push", "-q", "origin", "HEAD")
	partial := filepath.Join(t.TempDir(), "partial")
	git(t, t.TempDir(), "clone", "-q", "--bare", "--depth", "1", "--filter=blob:none", h.Remote, partial)
	objects := git(t, partial, "cat-file", "--batch-check", "--batch-all-objects", "--unordered")
	if strings.Contains(objects, "blob") || !strings.Contains(objects, "tree") {
		t.Errorf("a clone without blobs holds:\n%s", objects)
	}
	if got := git(t, partial, "show", "HEAD:index.html"); got != "home 2" { // fetched now, by its name
		t.Errorf("index.html = %q, want home 2", got)
	}
	clone(t, h, "index.html", "home 2", "--filter=blob:none")
}

func TestFetchMore(t *testing.T) {
	h := start(t, Options{})
	dir := checkout(t, h)
	git(t, dir, "push", "-q", "origin", "HEAD")
	copies := []string{clone(t, h, "index.html", "home 2"), clone(t, h, "index.html", "home 2", "--depth", "1")}
	for i := range 40 { // of the client's own, so that it has much to offer that we lack
		commit(t, copies[0], fmt.Sprint("own ", i))
	}
	save(t, dir, "index.html", "home 3")
	commit(t, dir, "more")
	git(t, dir, "push", "-q", "origin", "HEAD")
	for _, c := range copies {
		git(t, c, "fetch", "-q", "origin")
		if got := git(t, c, "show", "FETCH_HEAD:index.html"); got != "home 3" {
			t.Errorf("fetched %q, want home 3", got)
		}
		git(t, c, "fsck", "--strict", "--full")
	}
	if got := git(t, copies[1], "rev-list", "--count", "FETCH_HEAD"); got != "2" {
		t.Errorf("the shallow clone has %s commits, want 2", got)
	}
}

func TestPagesLag(t *testing.T) {
	const lag = 300 * time.Millisecond
	h := start(t, Options{})
	dir := checkout(t, h)
	git(t, dir, "push", "-q", "origin", "HEAD")
	edgetest.Settle(t, h.Origin)
	h.SetLag(lag, 0)
	save(t, dir, "index.html", "later")
	commit(t, dir, "later")
	asked := time.Now()
	git(t, dir, "push", "-q", "origin", "HEAD")
	edgetest.Settle(t, h.Origin)
	if took := time.Since(asked); took < lag {
		t.Errorf("deployed after %s, want %s or more", took, lag)
	}
	edgetest.WantPage(t, h.Origin, "", 200, "later")
	h.SetLag(time.Hour, 0)
	save(t, dir, "index.html", "latest")
	commit(t, dir, "latest")
	git(t, dir, "push", "-q", "origin", "HEAD")
	edgetest.WantPage(t, h.Origin, "", 200, "later")
}

// The older of two pushes is slower to deploy: it must not replace the newer.
func TestLatestPushWins(t *testing.T) {
	h := start(t, Options{})
	h.SetLag(200*time.Millisecond, 0)
	dir := checkout(t, h)
	git(t, dir, "push", "-q", "origin", "HEAD")
	h.SetLag(0, 0)
	save(t, dir, "index.html", "newest")
	commit(t, dir, "newest")
	git(t, dir, "push", "-q", "origin", "HEAD")
	edgetest.Settle(t, h.Origin)
	edgetest.WantPage(t, h.Origin, "", 200, "newest")
}

func TestPagesHideWhatJekyllDoes(t *testing.T) {
	h := start(t, Options{})
	site := map[string][]byte{"_a/x.html": []byte("x"), "index.html": []byte("home")}
	if err := h.Edit(t.Context(), site); err != nil {
		t.Fatal(err)
	}
	edgetest.WantPage(t, h.Origin, "_a/x.html", 404, "*")
	if err := h.Edit(t.Context(), map[string][]byte{".nojekyll": {}}); err != nil {
		t.Fatal(err)
	}
	edgetest.WantPage(t, h.Origin, "_a/x.html", 200, "x")
}

func TestEditedBranchIsSound(t *testing.T) {
	h := start(t, Options{})
	for _, files := range []map[string][]byte{
		{"a": []byte("1"), "a.b": []byte("2"), "a-b/c": []byte("3"), "ab/c/d": []byte("4")},
		{"a": nil, "ab/c/d": nil, "ab/c/e": []byte("5")},
		{"a/now a folder": []byte("6")},
	} {
		if err := h.Edit(t.Context(), files); err != nil {
			t.Fatal(err)
		}
	}
	dir := clone(t, h, "a/now a folder", "6")
	if got := git(t, dir, "log", "--format=%an", "-1"); got != "A Person" {
		t.Errorf("author %q", got)
	}
	if got, want := git(t, dir, "-c", "core.quotepath=off", "ls-files"), "a-b/c\na.b\na/now a folder\nab/c/e"; got != want {
		t.Errorf("files %q, want %q", got, want)
	}
}
