package static

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/filestamp"
)

// countedFS counts the files that are opened.
type countedFS struct {
	fs.StatFS
	opened atomic.Int64
}

func (c *countedFS) Open(name string) (fs.File, error) {
	c.opened.Add(1)
	return c.StatFS.Open(name)
}

// newKeeping is New with files that count as settled at once.
func newKeeping(fsys fs.FS) *handler {
	h := New(fsys, Options{}).(*handler)
	h.pages.settled = 0
	return h
}

// requireChangeTimes skips a test where no page is kept.
func requireChangeTimes(t testing.TB, file string) {
	t.Helper()
	if info, err := os.Stat(file); err != nil || !filestamp.Sure(info) {
		t.Skipf("the system tells no change times, so that no page is kept (%v)", err)
	}
}

// TestSmallFilesAreReadOnce counts how often files are opened.
func TestSmallFilesAreReadOnce(t *testing.T) {
	dir := write(t, map[string]string{"index.html": "home", "a/b.css": "a{}"})
	requireChangeTimes(t, filepath.Join(dir, "index.html"))
	site := &countedFS{StatFS: os.DirFS(dir).(fs.StatFS)}
	h := newKeeping(site)
	for range 5 {
		for target, want := range map[string]string{"/": "home", "/a/b.css": "a{}"} {
			res := ask(t, h, "GET", target)
			sum := sha256.Sum256([]byte(want))
			if got := body(t, res); got != want || res.ContentLength != int64(len(want)) || res.Header.Get("Etag") != quote(sum[:]) || res.Header.Get("Accept-Ranges") != "bytes" {
				t.Errorf("GET %s: got %q, %v", target, got, res.Header)
			}
		}
	}
	if got := site.opened.Load(); got != 2 {
		t.Errorf("2 files were opened %d times", got)
	}
}

// TestKeptPagesFollowTheirFiles changes, replaces and removes files whose pages are in memory. A change
// keeps the size and the modification time, as `touch -r` and unpacked archives do.
func TestKeptPagesFollowTheirFiles(t *testing.T) {
	dir := write(t, map[string]string{"r1/f": "1", "r2/f": "2"})
	requireChangeTimes(t, filepath.Join(dir, "r1/f"))
	current := filepath.Join(dir, "current")
	relink := func(to string) {
		t.Helper()
		_ = os.Remove(current) // there is none the first time
		if err := os.Symlink(to, current); err != nil {
			t.Fatal(err)
		}
	}
	h := newKeeping(Dir(current))
	want := func(what, text string) {
		t.Helper()
		for range 3 {
			if got := body(t, ask(t, h, "GET", "/f")); got != text {
				t.Fatalf("%s: got %q, want %q", what, got, text)
			}
		}
	}
	relink("r1")
	want("first", "1")
	rewrite(t, filepath.Join(dir, "r1/f"), "3")
	want("same size and time", "3")
	relink("r2")
	want("another release", "2")
	if err := os.Rename(filepath.Join(dir, "r1/f"), filepath.Join(dir, "r2/f")); err != nil {
		t.Fatal(err)
	}
	want("replaced", "3")
	if err := os.RemoveAll(filepath.Join(dir, "r2")); err != nil {
		t.Fatal(err)
	}
	if res := ask(t, h, "GET", "/f"); res.StatusCode != 404 {
		t.Errorf("removed: got %d", res.StatusCode)
	}
	relink("r1")
	if res := ask(t, h, "GET", "/f"); res.StatusCode != 404 {
		t.Errorf("not there: got %d", res.StatusCode)
	}
}

// rewrite writes other text of the same size into a file and puts its modification time back, until the
// system says of it that it has changed: its clock may be coarse.
func rewrite(t *testing.T, file, text string) {
	t.Helper()
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, before.ModTime(), before.ModTime()); err != nil {
			t.Fatal(err)
		}
		if after, err := os.Stat(file); err != nil || filestamp.Of(after) != filestamp.Of(before) {
			return
		}
	}
	t.Fatal("a write does not move the change time")
}

// TestYoungFilesAreNotKept has a file that may be written again within the clock's tick.
func TestYoungFilesAreNotKept(t *testing.T) {
	dir := write(t, map[string]string{"f": "x"})
	site := &countedFS{StatFS: os.DirFS(dir).(fs.StatFS)}
	h := New(site, Options{}).(*handler)
	h.pages.settled = time.Hour
	for range 3 {
		ask(t, h, "GET", "/f")
	}
	if got := site.opened.Load(); got != 3 {
		t.Errorf("a file that has just been written was opened %d times in 3 requests", got)
	}
}

// TestKeptPagesAreBounded keeps more than there is room for.
func TestKeptPagesAreBounded(t *testing.T) {
	p := pages{kept: map[string]keptPage{}}
	shared := make([]byte, small)
	for i := range 2 * keepBytes / small {
		name := fmt.Sprintf("p%d", i)
		p.keep(name, treeInfo{name, small}, time.Now(), newPage(shared, "text/html", "tag"))
		p.keep("same", treeInfo{"same", 1}, time.Now(), newPage(shared[:1], "text/html", "tag"))
		if p.bytes > keepBytes || p.get(name, treeInfo{name, small}) == nil {
			t.Fatalf("%d pages take %d bytes, want at most %d with the latest", len(p.kept), p.bytes, keepBytes)
		}
	}
	for i := range 2 * keepBytes / pageBytes {
		name := strings.Repeat("n", 1+i%7) + fmt.Sprint(i)
		p.keep(name, treeInfo{name, 0}, time.Now(), newPage(nil, "text/html", "tag"))
	}
	if p.bytes > keepBytes || len(p.kept) > keepBytes/pageBytes {
		t.Errorf("%d empty pages count as %d bytes, want at most %d", len(p.kept), p.bytes, keepBytes)
	}
}

// TestReleasesSwitchUnderLoad moves the link while others read: each answer is of one of the releases.
func TestReleasesSwitchUnderLoad(t *testing.T) {
	dir := write(t, map[string]string{"r0/f": "0", "r1/f": "1"})
	current, next := filepath.Join(dir, "current"), filepath.Join(dir, "next")
	move := func(i int) {
		if err := os.Symlink(fmt.Sprintf("r%d", i%2), next); err != nil {
			t.Error(err)
		}
		if err := os.Rename(next, current); err != nil {
			t.Error(err)
		}
	}
	move(0)
	h := newKeeping(Dir(current))
	var readers sync.WaitGroup
	over := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("GET", "/f", nil))
				if got := w.Body.String(); w.Code != 200 || got != "0" && got != "1" {
					t.Errorf("got %d %q", w.Code, got)
					return
				}
			}
		})
	}
	for i := range 200 {
		move(i)
	}
	close(over)
	readers.Wait()
}

// A folder that is not there, and a file in place of one, are told with what to give.
func TestFolderThatIsNone(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "index.html")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(filepath.Dir(file), "public"): "there is no such folder (hint: ",
		file: "it is not a folder, and leads to none (hint: ",
	} {
		if _, err := Folder(path, Options{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
}
