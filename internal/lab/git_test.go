package lab

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

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
func checkout(t *testing.T, l *Lab) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", l.Git.Branch)
	git(t, dir, "remote", "add", "origin", l.Git.Remote)
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

func settle(t *testing.T, o *Origin) {
	t.Helper()
	if err := o.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestPushDeploys(t *testing.T) {
	l := start(t, Options{})
	dir := checkout(t, l)
	git(t, dir, "push", "-q", "origin", "HEAD")
	settle(t, l.Git.Origin)
	wantPage(t, l.Git.Origin, "", 200, "home 2")
	wantPage(t, l.Git.Origin, "posts/1/%E9%A1%B5", 200, strings.Repeat("post 1\n", 500)) // as Pages serve it

	save(t, dir, "index.html", "home 3")
	commit(t, dir, "a small change: a thin pack with deltas")
	git(t, dir, "push", "-q", "origin", "HEAD")
	settle(t, l.Git.Origin)
	wantPage(t, l.Git.Origin, "", 200, "home 3")

	git(t, dir, "push", "-q", "origin", "HEAD~1:refs/heads/side") // needs no object
	git(t, dir, "push", "-q", "-f", "origin", "HEAD~2:"+l.Git.Branch)
	settle(t, l.Git.Origin)
	wantPage(t, l.Git.Origin, "", 200, "home 1")

	git(t, dir, "push", "-q", "origin", ":"+l.Git.Branch)
	settle(t, l.Git.Origin)
	wantPage(t, l.Git.Origin, "", 404, "*")
	if got := git(t, dir, "ls-remote", "origin"); !strings.HasSuffix(got, "refs/heads/side") || strings.Contains(got, "\n") {
		t.Errorf("ls-remote = %q, want the side branch alone", got)
	}
}

func TestBigPush(t *testing.T) {
	l := start(t, Options{})
	dir := checkout(t, l)
	noise := make([]byte, 3<<20) // more than http.postBuffer: sent in chunks
	_, _ = rand.Read(noise)      // never fails
	save(t, dir, "noise.bin", string(noise))
	commit(t, dir, "noise")
	git(t, dir, "push", "-q", "origin", "HEAD")
	settle(t, l.Git.Origin)
	wantPage(t, l.Git.Origin, "noise.bin", 200, string(noise))
	clone(t, l, "noise.bin", string(noise))
}

// clone clones with the options and checks the objects and one file.
func clone(t *testing.T, l *Lab, file, content string, options ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, t.TempDir(), append(append([]string{"clone", "-q"}, options...), l.Git.Remote, dir)...)
	git(t, dir, "fsck", "--strict", "--full")
	if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != content {
		t.Errorf("clone %v: %s = %.40q, %v; want %.40q", options, file, got, err, content)
	}
	return dir
}

func TestClone(t *testing.T) {
	l := start(t, Options{})
	dir := checkout(t, l)
	git(t, dir, "tag", "-a", "v1", "-m", "v1", "HEAD~1")
	git(t, dir, "push", "-q", "--tags", "origin", "HEAD")

	full := clone(t, l, "index.html", "home 2")
	if got := git(t, full, "rev-list", "--count", "HEAD"); got != "3" {
		t.Errorf("the clone has %s commits, want 3", got)
	}
	if got, want := git(t, full, "rev-parse", "v1^{commit}"), git(t, dir, "rev-parse", "HEAD~1"); got != want {
		t.Errorf("the tag stands for %s, want %s", got, want)
	}

	shallow := clone(t, l, "index.html", "home 2", "--depth", "1")
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
	l := start(t, Options{})
	dir := checkout(t, l)
	git(t, dir, "push", "-q", "origin", "HEAD")
	partial := filepath.Join(t.TempDir(), "partial")
	git(t, t.TempDir(), "clone", "-q", "--bare", "--depth", "1", "--filter=blob:none", l.Git.Remote, partial)
	objects := git(t, partial, "cat-file", "--batch-check", "--batch-all-objects", "--unordered")
	if strings.Contains(objects, "blob") || !strings.Contains(objects, "tree") {
		t.Errorf("a clone without blobs holds:\n%s", objects)
	}
	if got := git(t, partial, "show", "HEAD:index.html"); got != "home 2" { // fetched now, by its name
		t.Errorf("index.html = %q, want home 2", got)
	}
	clone(t, l, "index.html", "home 2", "--filter=blob:none")
}

func TestFetchMore(t *testing.T) {
	l := start(t, Options{})
	dir := checkout(t, l)
	git(t, dir, "push", "-q", "origin", "HEAD")
	copies := []string{clone(t, l, "index.html", "home 2"), clone(t, l, "index.html", "home 2", "--depth", "1")}
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

func TestToken(t *testing.T) {
	l := start(t, Options{GitToken: "secret-token"})
	dir := checkout(t, l)
	if out, err := tryGit(t, dir, "push", "-q", "origin", "HEAD"); err == nil {
		t.Errorf("a push without the token went through: %s", out)
	}
	u, err := url.Parse(l.Git.Remote)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("x-access-token", l.Git.Token)
	git(t, dir, "push", "-q", u.String(), "HEAD")
	settle(t, l.Git.Origin)
	wantPage(t, l.Git.Origin, "", 200, "home 2")
}

// push sends a push by hand, as the real client never would.
func push(t *testing.T, l *Lab, pack []byte, zip bool, commands ...string) string {
	t.Helper()
	var b bytes.Buffer
	for i, c := range commands {
		if i == 0 {
			c += "\x00report-status atomic"
		}
		fmt.Fprintf(&b, "%04x%s", len(c)+4, c)
	}
	b.WriteString("0000")
	b.Write(pack)
	if zip {
		plain := bytes.Clone(b.Bytes())
		b.Reset()
		w := gzip.NewWriter(&b)
		_, _ = w.Write(plain) // into memory
		_ = w.Close()
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", l.Git.Remote+"/git-receive-pack", &b)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-git-receive-pack-request")
	if zip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return answer.String()
}

func TestReferenceMovesFromTheExpectedValueOnly(t *testing.T) {
	l := start(t, Options{})
	dir := checkout(t, l)
	git(t, dir, "push", "-q", "origin", "HEAD")
	head, parent, zero := git(t, dir, "rev-parse", "HEAD"), git(t, dir, "rev-parse", "HEAD~1"), plumbing.ZeroHash.String()
	empty := []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00\x02\x9d\x08\x82;\xd8\xa8\xea\xb5\x10\xadj\xc7\\\x82<\xfd>\xd3\x1e")
	ref := "refs/heads/" + l.Git.Branch
	for _, c := range []struct{ name, command, want string }{
		{"stale", parent + " " + head + " " + ref, "ng " + ref + " cannot lock ref"},
		{"as if new", zero + " " + parent + " " + ref, "ng " + ref + " cannot lock ref"},
		{"delete of a stale one", parent + " " + zero + " " + ref, "ng " + ref + " cannot lock ref"},
		{"unknown object", head + " " + strings.Repeat("12", 20) + " " + ref, "ng " + ref + " missing necessary objects"},
		{"bad name", zero + " " + head + " refs/heads/a..b", "ng refs/heads/a..b funny refname"},
		{"no reference", zero + " " + head + " HEAD", "ng HEAD funny refname"},
		{"below a branch", zero + " " + head + " " + ref + "/x", "ng " + ref + "/x cannot lock ref"},
		{"a tree as a branch", zero + " " + git(t, dir, "rev-parse", "HEAD^{tree}") + " refs/heads/t", "ng refs/heads/t a branch must"},
	} {
		if got := push(t, l, empty, false, c.command); !strings.Contains(got, c.want) {
			t.Errorf("%s: answer %q, want %q", c.name, got, c.want)
		}
	}
	if got := git(t, dir, "ls-remote", "origin", ref); got != head+"\t"+ref {
		t.Errorf("after the refusals: %q, want %s", got, head)
	}
	if got := push(t, l, empty, true, head+" "+parent+" "+ref); !strings.Contains(got, "ok "+ref) {
		t.Errorf("a move from the right value: %q", got)
	}
	got := push(t, l, empty, false, zero+" "+head+" refs/heads/new", head+" "+head+" "+ref)
	if !strings.Contains(got, "ng refs/heads/new atomic push failure") {
		t.Errorf("an atomic push with one stale command: %q", got)
	}
	if got := git(t, dir, "ls-remote", "origin"); strings.Contains(got, "refs/heads/new") {
		t.Errorf("the refused atomic push made a branch: %q", got)
	}
}

func TestBrokenPush(t *testing.T) {
	l := start(t, Options{})
	hash := strings.Repeat("12", 20)
	for _, pack := range []string{"", "PACK", "not a pack at all", "PACK\x00\x00\x00\x02\x00\x00\x00\x09"} {
		got := push(t, l, []byte(pack), false, plumbing.ZeroHash.String()+" "+hash+" refs/heads/x")
		if strings.Contains(got, "unpack ok") || !strings.Contains(got, "ng refs/heads/x unpacker error") {
			t.Errorf("pack %q: answer %q", pack, got)
		}
	}
}

func TestPagesLag(t *testing.T) {
	const lag = 300 * time.Millisecond
	l := start(t, Options{})
	dir := checkout(t, l)
	git(t, dir, "push", "-q", "origin", "HEAD")
	settle(t, l.Git.Origin)
	l.Git.SetLag(lag, 0)
	save(t, dir, "index.html", "later")
	commit(t, dir, "later")
	asked := time.Now()
	git(t, dir, "push", "-q", "origin", "HEAD")
	wantPage(t, l.Git.Origin, "", 200, "home 2")
	settle(t, l.Git.Origin)
	if took := time.Since(asked); took < lag {
		t.Errorf("deployed after %s, want %s or more", took, lag)
	}
	wantPage(t, l.Git.Origin, "", 200, "later")
}

// The older of two pushes is slower to deploy: it must not replace the newer.
func TestLatestPushWins(t *testing.T) {
	l := start(t, Options{Lag: 200 * time.Millisecond})
	dir := checkout(t, l)
	git(t, dir, "push", "-q", "origin", "HEAD")
	l.Git.SetLag(0, 0)
	save(t, dir, "index.html", "newest")
	commit(t, dir, "newest")
	git(t, dir, "push", "-q", "origin", "HEAD")
	settle(t, l.Git.Origin)
	wantPage(t, l.Git.Origin, "", 200, "newest")
}

func TestPagesHideWhatJekyllDoes(t *testing.T) {
	l := start(t, Options{})
	site := map[string][]byte{"_a/x.html": []byte("x"), "index.html": []byte("home")}
	if err := l.Git.Edit(t.Context(), site); err != nil {
		t.Fatal(err)
	}
	wantPage(t, l.Git.Origin, "_a/x.html", 404, "*")
	if err := l.Git.Edit(t.Context(), map[string][]byte{".nojekyll": {}}); err != nil {
		t.Fatal(err)
	}
	wantPage(t, l.Git.Origin, "_a/x.html", 200, "x")
}

func TestEditedBranchIsSound(t *testing.T) {
	l := start(t, Options{})
	for _, files := range []map[string][]byte{
		{"a": []byte("1"), "a.b": []byte("2"), "a-b/c": []byte("3"), "ab/c/d": []byte("4")},
		{"a": nil, "ab/c/d": nil, "ab/c/e": []byte("5")},
		{"a/now a folder": []byte("6")},
	} {
		if err := l.Git.Edit(t.Context(), files); err != nil {
			t.Fatal(err)
		}
	}
	dir := clone(t, l, "a/now a folder", "6")
	if got := git(t, dir, "log", "--format=%an", "-1"); got != "A Person" {
		t.Errorf("author %q", got)
	}
	if got, want := git(t, dir, "-c", "core.quotepath=off", "ls-files"), "a-b/c\na.b\na/now a folder\nab/c/e"; got != want {
		t.Errorf("files %q, want %q", got, want)
	}
}
