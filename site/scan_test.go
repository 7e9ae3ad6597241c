package site_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"mirror/internal/longtest"
	"mirror/site"
)

// tree writes files below a new folder and returns it.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for path, text := range files {
		put(t, dir, path, text)
	}
	return dir
}

func put(t testing.TB, dir, path, text string) {
	t.Helper()
	name := filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, dir, name, to string) {
	t.Helper()
	if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func scan(t testing.TB, dir string, o site.ScanOptions) (*site.Release, error) {
	t.Helper()
	root, err := site.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return site.Scan(t.Context(), root.FS(), o)
}

func mustScan(t testing.TB, dir string, o site.ScanOptions) *site.Release {
	t.Helper()
	rel, err := scan(t, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return rel
}

func paths(m site.Manifest) []string {
	var p []string
	for _, f := range m {
		p = append(p, f.Path)
	}
	return p
}

// recompute is the one-liner by which anyone can recompute a release's id.
const recompute = `find -L . -type f ! -path ./.well-known/mirror.json -printf '%P\n' | LC_ALL=C sort | xargs -d'\n' sha256sum -- | sha256sum`

func wantCoreutilsID(t *testing.T, dir string, id site.ID) {
	t.Helper()
	cmd := exec.Command("bash", "-o", "pipefail", "-c", recompute)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if want, _, _ := strings.Cut(string(out), " "); string(id) != want {
		t.Errorf("id: got %s, coreutils says %s", id, want)
	}
}

func TestIDEqualsCoreutils(t *testing.T) {
	dir := tree(t, map[string]string{
		"-dash.html": "9", "index.html": "home", "a/index.html": "a", "a.html": "x", "a-b": "y", "A.html": "case", "empty": "",
		"with space": "1", "back\\slash.html": "2", "cr\rname": "3", "文章/你好.html": "4", "%2b?#+&.html": "5",
		"\"quotes'.html": "6", ".dot/.file": "7", ".well-known/mirror.json": "the beacon", ".well-known/other": "8",
	})
	link(t, dir, "linked", "a")
	link(t, dir, "linked.html", "a.html")
	wantCoreutilsID(t, dir, mustScan(t, dir, site.ScanOptions{BeaconPath: site.DefaultBeacon}).ID())
}

// TestIDOfRealSites recomputes the ids of the sites in the folders that MIRROR_SITES lists.
func TestIDOfRealSites(t *testing.T) {
	list := os.Getenv("MIRROR_SITES")
	if list == "" {
		t.Skip("MIRROR_SITES lists no folders of real sites")
	}
	for _, dir := range filepath.SplitList(list) {
		wantCoreutilsID(t, dir, mustScan(t, dir, site.ScanOptions{}).ID())
	}
}

func TestScanExcludes(t *testing.T) {
	dir := tree(t, map[string]string{
		"index.html": "", ".git/config": "", "sub/.git/config": "", "drafts/a.html": "", "x/.DS_Store": "", ".DS_Store": "", "keep/.DS_Store.html": "",
	})
	rel := mustScan(t, dir, site.ScanOptions{Exclude: []string{"**/.DS_Store", "drafts"}})
	if got, want := paths(rel.Manifest), []string{"index.html", "keep/.DS_Store.html"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := scan(t, dir, site.ScanOptions{Exclude: []string{"[a"}}); err == nil || !strings.Contains(err.Error(), "[a") {
		t.Errorf("a bad pattern: got %v, want an error that names it", err)
	}
}

func TestScanRefuses(t *testing.T) {
	cases := []struct {
		name string
		make func(t *testing.T, dir string)
		want string
	}{
		{"link out", func(t *testing.T, dir string) { link(t, dir, "out", "../../etc/passwd") }, `"out": a symlink that leaves the site`},
		{"absolute link", func(t *testing.T, dir string) { link(t, dir, "abs", "/etc/passwd") }, `"abs": a symlink that leaves the site`},
		{"dangling link", func(t *testing.T, dir string) { link(t, dir, "gone", "nothing") }, `"gone": a symlink to nothing`},
		{"link to itself", func(t *testing.T, dir string) { link(t, dir, "self", "self") }, `"self": a symlink that loops`},
		{"folder loop", func(t *testing.T, dir string) { link(t, dir, "a/up", "..") }, `"a/up": a symlink that loops back`},
		{"two folders", func(t *testing.T, dir string) { link(t, dir, "a/b", "../b"); link(t, dir, "b/a", "../a") }, `"a/b/a": a symlink that loops back`},
		{"socket", socket, `"sock": it is a socket`},
		{"named pipe", func(t *testing.T, dir string) { run(t, "mkfifo", filepath.Join(dir, "pipe")) }, `"pipe": it is a named pipe`},
		{"name that is no UTF-8", func(t *testing.T, dir string) { put(t, dir, "bad\xff.html", "") }, `"bad\xff.html": the name is not valid UTF-8`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t, map[string]string{"index.html": "", "a/x": "", "b/x": ""})
			c.make(t, dir)
			_, err := scan(t, dir, site.ScanOptions{})
			if !errors.Is(err, site.ErrRefused) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "hint:") {
				t.Errorf("got %v, want ErrRefused with %q and a hint", err, c.want)
			}
		})
	}
}

func socket(t *testing.T, dir string) {
	t.Chdir(dir) // a socket's path has to be short
	l, err := net.Listen("unix", "sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}

func TestScanNamesManyProblemsAtOnce(t *testing.T) {
	dir := tree(t, map[string]string{"index.html": ""})
	for i := range 25 {
		link(t, dir, fmt.Sprintf("gone%02d", i), "nothing")
	}
	_, err := scan(t, dir, site.ScanOptions{})
	if err == nil || strings.Count(err.Error(), "a symlink to nothing") != 10 || !strings.Contains(err.Error(), "and 15 more") {
		t.Errorf("got %v, want ten problems and the count of the rest", err)
	}
}

func TestScanEmpty(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "only/folders"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := scan(t, dir, site.ScanOptions{}); !errors.Is(err, site.ErrEmpty) {
		t.Errorf("got %v, want ErrEmpty", err)
	}
}

func TestScanCancelled(t *testing.T) {
	root, err := site.Open(tree(t, map[string]string{"index.html": ""}))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := site.Scan(ctx, root.FS(), site.ScanOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestScanSeesGrowingFile scans a file that another process never stops to append to.
func TestScanSeesGrowingFile(t *testing.T) {
	dir := tree(t, map[string]string{"index.html": "", "big.log": strings.Repeat("x", 64<<20)})
	f, err := os.OpenFile(filepath.Join(dir, "big.log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := f.WriteString("more"); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	_, err = scan(t, dir, site.ScanOptions{})
	close(stop)
	<-stopped
	f.Close()
	if !errors.Is(err, site.ErrChanged) || !strings.Contains(err.Error(), "big.log") {
		t.Errorf("got %v, want ErrChanged for big.log", err)
	}
}

func TestOpenSeesChange(t *testing.T) {
	for name, text := range map[string]string{"same size": "HOME", "shorter": "ho", "longer": "home and more", "gone": ""} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, map[string]string{"index.html": "home"})
			rel := mustScan(t, dir, site.ScanOptions{})
			put(t, dir, "index.html", text)
			if name == "gone" {
				os.Remove(filepath.Join(dir, "index.html"))
			}
			if got, err := rel.ReadFile(rel.Manifest[0]); !errors.Is(err, site.ErrChanged) {
				t.Errorf("got %q, %v; want ErrChanged", got, err)
			}
		})
	}
}

func TestOpenRewinds(t *testing.T) {
	rel := mustScan(t, tree(t, map[string]string{"index.html": "home"}), site.ScanOptions{})
	r, err := rel.Open(rel.Manifest[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 2 {
		var b bytes.Buffer
		if _, err := b.ReadFrom(r); err != nil || b.String() != "home" {
			t.Errorf("got %q, %v", b.String(), err)
		}
		if _, err := r.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestScanMemory bounds the memory that a release of 100,000 files takes.
func TestScanMemory(t *testing.T) {
	longtest.Skip(t, "scans many files")
	const files, limit = 20_000, 1 << 10
	dir := t.TempDir()
	for i := range files {
		folder := filepath.Join(dir, fmt.Sprintf("%03d", i/1000))
		if i%1000 == 0 {
			if err := os.Mkdir(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("page-%05d.html", i)), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before := heap()
	rel := mustScan(t, dir, site.ScanOptions{})
	perFile := (heap() - before) / files
	runtime.KeepAlive(rel)
	t.Logf("%d bytes a file kept", perFile)
	if perFile > limit || len(rel.Manifest) != files {
		t.Errorf("%d files take %d bytes each, want at most %d", len(rel.Manifest), perFile, limit)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
