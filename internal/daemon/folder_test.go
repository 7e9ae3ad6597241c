package daemon

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/history"
)

// patience is how long a test waits for what has to happen.
const patience = 2 * time.Minute

// siteWorld is a daemon that publishes a folder whenever that is changed.
type siteWorld struct {
	*world
	dir string

	mu       sync.Mutex
	releases []string // what was published, as names and contents of all files
	builds   int
}

func newSiteWorld(t *testing.T) *siteWorld {
	t.Helper()
	s := &siteWorld{dir: filepath.Join(t.TempDir(), "public")}
	s.write(t, "index.html", "one")
	s.world = newWorld(t, t.TempDir(), func(setup *Setup) {
		setup.Site = s.dir
		setup.Ignored = func(path string) bool { return path == ".git" || path == ".mirror" }
		setup.Jobs = []Job{{Name: "live", Kind: Publish, Schedule: every(t, "@yearly"), Watch: true, Build: true}}
		setup.Work.Build = func(context.Context, io.Writer) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.builds++
			return nil
		}
		setup.Work.Publish = func(context.Context, io.Writer) (history.Publish, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.releases = append(s.releases, s.content())
			return history.Publish{Outcome: "live"}, nil
		}
	})
	return s
}

func (s *siteWorld) write(t *testing.T, path, text string) {
	t.Helper()
	file := filepath.Join(s.dir, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (s *siteWorld) content() string {
	var all []string
	_ = filepath.WalkDir(s.dir, func(name string, entry os.DirEntry, err error) error { // what is gone is no content
		if err == nil && !entry.IsDir() && !strings.Contains(name, "/.") {
			text, _ := os.ReadFile(name)
			all = append(all, strings.TrimPrefix(name, s.dir+"/")+"="+string(text))
		}
		return nil
	})
	return strings.Join(all, " ")
}

// await waits until the last release is what it should be, and returns how many there were.
func (s *siteWorld) await(want string) int {
	s.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		s.mu.Lock()
		n := len(s.releases)
		got := ""
		if n > 0 {
			got = s.releases[n-1]
		}
		s.mu.Unlock()
		if got == want {
			return n
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			s.t.Fatalf("published %q, want %q", got, want)
		}
	}
}

// TestSiteThatChanges is published: whole, once for many changes, from new folders too, and
// not for what is not published at all.
func TestSiteThatChanges(t *testing.T) {
	s := newSiteWorld(t)
	s.await("index.html=one") // nobody looked before
	s.write(t, "index.html", "two")
	s.await("index.html=two")
	again := s.setup
	s.write(t, "index.html", "three")
	if err := s.daemon.Replace(again); err != nil { // a reload loses no change
		t.Fatal(err)
	}
	n := s.await("index.html=three")
	s.write(t, ".mirror/history.db", "noise")
	const many = 60
	want := "index.html=three"
	for i := range many {
		path := fmt.Sprintf("posts/2026/%02d.html", i)
		s.write(t, path, "new")
		want += " " + path + "=new"
	}
	if after := s.await(want); after > n+many/2 { // a machine that stands still for a while may settle in between
		t.Errorf("%d publishes for %d files that were written at once", after-n, many)
	}
	s.write(t, ".mirror/history.db", "more noise")
	s.write(t, "posts/2026/deeper/c.html", "c")
	s.await(want + " posts/2026/deeper/c.html=c")
	if err := os.RemoveAll(s.dir); err != nil { // as generators do
		t.Fatal(err)
	}
	s.write(t, "index.html", "four")
	s.await("index.html=four")
	s.write(t, "late.html", "x") // in a folder that is another one now
	s.await("index.html=four late.html=x")
	s.end()
	if s.builds > 0 {
		t.Errorf("what somebody changed was built %d times", s.builds)
	}
}

// TestFolderThatCannotBeListenedTo is polled.
func TestFolderThatCannotBeListenedTo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet", "there")
	said := make(lines, 10)
	f := folder{dir: dir, settle: time.Millisecond, poll: 5 * time.Millisecond, log: slog.New(slog.NewTextHandler(said, nil))}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	changed := make(chan struct{}, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.follow(ctx, func(context.Context) { changed <- struct{}{} })
	}()
	if line := <-said; !strings.Contains(line, "is polled") {
		t.Errorf("the log says %s", line)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	case <-time.After(patience):
		t.Error("nothing was noticed")
	}
	stop()
	<-ended
}

// lines takes what is written, a line at a time.
type lines chan string

// Write hands a line on.
func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// TestConfigFileThatIsALink is followed: to a file in another folder, and through a folder that is
// itself a link.
func TestConfigFileThatIsALink(t *testing.T) {
	for name, file := range map[string]string{"a link": "app/link.yaml", "a file in a linked folder": "current/mirror.yaml"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put := func(name, text string) {
				if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			link := func(name, to string) {
				fresh := filepath.Join(dir, name+".new")
				if err := errors.Join(os.Symlink(to, fresh), os.Rename(fresh, filepath.Join(dir, name))); err != nil {
					t.Fatal(err)
				}
			}
			put("app/x", "")
			put("one/mirror.yaml", "one")
			put("two/mirror.yaml", "two")
			link("app/link.yaml", "../current/mirror.yaml")
			link("current", "one")
			changes := make(chan string, 100)
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				FollowFile(ctx, filepath.Join(dir, file), slog.New(slog.DiscardHandler), func() {
					text, _ := os.ReadFile(filepath.Join(dir, file))
					changes <- string(text)
				})
			}()
			await := func(want string, change func()) {
				t.Helper()
				change()
				deadline := time.After(patience)
				for got := ""; got != want; {
					select {
					case got = <-changes:
					case <-deadline:
						t.Fatalf("%q was not noticed", want)
					}
				}
			}
			untilFollowed(t, changes, func(text string) { put("one/mirror.yaml", text) })
			await("two", func() { link("current", "two") })
			await("three", func() { put("two/mirror.yaml", "three") })
			stop()
			<-ended
		})
	}
}

// untilFollowed changes a file until that is noticed: only then is it known to be followed.
func untilFollowed(t *testing.T, changes chan string, put func(text string)) {
	t.Helper()
	for i, deadline := 0, time.Now().Add(patience); ; i++ {
		put(fmt.Sprintf("start %04d", i))
		select {
		case <-changes:
			return
		case <-time.After(2 * fileSettle):
		}
		if time.Now().After(deadline) {
			t.Fatal("the file was changed, and that was not noticed")
		}
	}
}

// TestConfigFileThatIsReplaced is noticed once for each content, however it is written.
func TestConfigFileThatIsReplaced(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mirror.yaml")
	changes := make(chan string, 100)
	var texts sync.Map // of digests
	f := followed{file: file, log: slog.New(slog.DiscardHandler)}
	f.changed = func() { // what was noticed: by now the file may hold another text
		text, _ := texts.Load(f.sum)
		changes <- fmt.Sprint(text)
	}
	put := func(name, text string) { // in place, by one write of always the same length: no part of a text can be read
		data := fmt.Appendf(nil, "%-10s", text)
		texts.Store(sha256.Sum256(data), text)
		out, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		_, err = out.Write(data)
		if err := errors.Join(err, out.Close()); err != nil {
			t.Fatal(err)
		}
	}
	put("mirror.yaml", "one")
	f.sum, _ = f.read()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.listen(ctx) }()
	await := func(want string) {
		t.Helper()
		for deadline := time.After(patience); ; {
			select {
			case got := <-changes:
				if got == want {
					return
				}
				if !strings.HasPrefix(got, "start ") {
					t.Errorf("got %q", got)
				}
			case <-deadline:
				t.Fatalf("%q was not noticed", want)
			}
		}
	}
	untilFollowed(t, changes, func(text string) { put("mirror.yaml", text) })
	put("mirror.yaml", "two")
	await("two")
	put(".mirror.yaml.swp", "three") // as editors do
	if err := os.Rename(filepath.Join(dir, ".mirror.yaml.swp"), file); err != nil {
		t.Fatal(err)
	}
	await("three")
	put("mirror.yaml", "three") // no change
	put("other", "x")
	put("mirror.yaml", "four")
	await("four")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestLogKeepsItsEnd(t *testing.T) {
	var l runLog
	for range 10_000 {
		_, _ = l.Write([]byte("a line of what a build prints\n")) // it never fails
	}
	_, _ = l.Write([]byte("the error\n"))
	text := l.String()
	if len(text) > maxLog+100 || !strings.HasPrefix(text, cutMark+"a line of") || !strings.HasSuffix(text, "prints\nthe error\n") {
		t.Errorf("%d bytes, from %.60q", len(text), text)
	}
}
