//go:build unix

package dir_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"mirror/internal/longtest"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/dir"
	"mirror/targets/targettest"
)

var (
	first  = targettest.Files{"index.html": "one", "about/index.html": "about", "css/site.css": "a{}", "old.html": "old"}
	second = targettest.Files{"index.html": "two", "about/index.html": "about", "css/site.css": "b{}", "new.html": "new"}
)

// ground is a target's folder beside others that nothing may touch.
type ground struct {
	*dir.Target
	path    string
	outside string
}

func newGround(t *testing.T) ground {
	t.Helper()
	base := t.TempDir()
	g := ground{path: filepath.Join(base, "www"), outside: filepath.Join(base, "outside")}
	for name, text := range map[string]string{"index.html": "two", "secret": "not for the web", "css/site.css": "theirs"} {
		file := filepath.Join(g.outside, name)
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(text), 0o640))
	}
	g.Target = open(t, g.path)
	t.Cleanup(func() { g.wantOutside(t) })
	return g
}

// wantOutside fails unless all outside is as it was.
func (g ground) wantOutside(t *testing.T) {
	t.Helper()
	for name, want := range map[string]string{"index.html": "two", "secret": "not for the web", "css/site.css": "theirs"} {
		got, err := os.ReadFile(filepath.Join(g.outside, name))
		info, errInfo := os.Stat(filepath.Join(g.outside, name))
		if err != nil || errInfo != nil || string(got) != want || info.Mode() != 0o640 || time.Since(info.ModTime()) > time.Hour {
			t.Errorf("outside, %s: got %q, %v, %v; want it untouched", name, got, err, info)
		}
	}
	if left, err := os.ReadDir(g.outside); err != nil || len(left) != 3 {
		t.Errorf("outside: got %v, %v; want three entries", left, err)
	}
}

// soon runs do, and fails where it waits for ever.
func soon(t *testing.T, what string, do func(ctx context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		t.Fatalf("%s waits for ever", what)
		return nil
	}
}

func (g ground) publish(t *testing.T, files targettest.Files) {
	t.Helper()
	must(t, soon(t, "a publish", func(ctx context.Context) error {
		_, err := targettest.Publish(ctx, g.Target, targettest.Release(files))
		return err
	}))
	g.wantServed(t, files)
}

// wantServed fails unless regular files of exactly these bytes are what is live.
func (g ground) wantServed(t *testing.T, files targettest.Files) {
	t.Helper()
	live := os.DirFS(filepath.Join(g.path, "current"))
	seen := 0
	must(t, fs.WalkDir(live, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == site.DefaultBeacon {
			return err
		}
		seen++
		if text, err := fs.ReadFile(live, name); err != nil || !d.Type().IsRegular() || string(text) != files[name] {
			t.Errorf("%s: got %s %q, %v; want %q", name, d.Type(), text, err, files[name])
		}
		return nil
	}))
	if seen != len(files) {
		t.Errorf("got %d files live, want %d", seen, len(files))
	}
}

// strange are the things that somebody may put in a file's place, by name.
func (g ground) strange(t *testing.T) map[string]func(at string) error {
	return map[string]func(at string) error{
		"pipe":                     func(at string) error { return syscall.Mkfifo(at, 0o666) },
		"socket":                   func(at string) error { return listenAt(t, at) },
		"device":                   func(at string) error { return syscall.Mknod(at, syscall.S_IFCHR|0o666, 1<<8|5) }, // /dev/zero
		"link to a file outside":   func(at string) error { return os.Symlink(filepath.Join(g.outside, "index.html"), at) },
		"link to a folder outside": func(at string) error { return os.Symlink(g.outside, at) },
		"relative link outside":    func(at string) error { return os.Symlink("../../../outside/index.html", at) },
		"link to nothing":          func(at string) error { return os.Symlink("nothing", at) },
		"link to itself":           func(at string) error { return os.Symlink(filepath.Base(at), at) },
		"link to the folder above": func(at string) error { return os.Symlink("..", at) },
		"hard link":                func(at string) error { return os.Link(filepath.Join(g.outside, "secret"), at) },
		"folder":                   func(at string) error { return os.MkdirAll(filepath.Join(at, "deep"), 0o755) },
		"folder of a pipe": func(at string) error {
			return errors.Join(os.Mkdir(at, 0o755), syscall.Mkfifo(filepath.Join(at, "pipe.json"), 0o666))
		},
		"file that cannot be read": func(at string) error { return os.WriteFile(at, []byte("x"), 0) },
	}
}

// listenAt makes a socket by way of a short path: that of a test may be too long for one.
func listenAt(t *testing.T, at string) error {
	short, err := os.MkdirTemp("", "s")
	if err != nil {
		return err
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(short, "s")})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	return errors.Join(l.Close(), os.Rename(filepath.Join(short, "s"), at))
}

// put makes a strange thing, and skips the test where only root may.
func put(t *testing.T, do func(at string) error, at string) {
	t.Helper()
	must(t, os.RemoveAll(at))
	err := do(at)
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("only root can make it: %v", err)
	}
	must(t, err)
}

// TestStrangeThingsInTheLiveFolder puts each of them in a page's place, beside the pages, and
// in the beacon's place: a plan ends and lists them, and a publish replaces them.
func TestStrangeThingsInTheLiveFolder(t *testing.T) {
	for name := range newGround(t).strange(t) {
		t.Run(name, func(t *testing.T) {
			g := newGround(t)
			g.publish(t, first)
			live := filepath.Join(g.path, "current")
			put(t, g.strange(t)[name], filepath.Join(live, "index.html"))
			put(t, g.strange(t)[name], filepath.Join(live, "extra.html"))
			put(t, g.strange(t)[name], filepath.Join(live, site.DefaultBeacon))
			rel := targettest.Release(first)
			var plan targets.Plan
			must(t, soon(t, "a plan", func(ctx context.Context) (err error) { plan, err = g.Plan(ctx, rel); return err }))
			c := plan.Changes
			if touched := slices.Concat(c.Change, c.Add); !slices.Equal(touched, []string{"index.html"}) {
				t.Errorf("plan: got %+v, want index.html to be replaced", c)
			}
			if extra := slices.Contains(c.Delete, "extra.html") || slices.Contains(c.Delete, "extra.html/pipe.json"); !extra && name != "folder" {
				t.Errorf("plan: got %+v, want extra.html to be deleted", c)
			}
			must(t, soon(t, "a look back", func(ctx context.Context) error {
				_, err := g.Past(ctx, 10, []string{"index.html"})
				return err
			}))
			g.publish(t, first)
			g.publish(t, second)
		})
	}
}

// TestStrangeThingsOfOthers has them in a live folder that mirror did not make.
func TestStrangeThingsOfOthers(t *testing.T) {
	g := newGround(t)
	theirs := filepath.Join(g.path, "theirs")
	must(t, os.MkdirAll(theirs, 0o755))
	must(t, os.Symlink("theirs", filepath.Join(g.path, "current")))
	for name, do := range g.strange(t) {
		if err := do(filepath.Join(theirs, name)); err != nil && !errors.Is(err, syscall.EPERM) {
			t.Fatal(err)
		}
	}
	must(t, soon(t, "a look back", func(ctx context.Context) error {
		past, err := g.Past(ctx, 10, []string{"pipe", "folder of a pipe/pipe.json"})
		if err == nil && len(past) != 1 {
			t.Errorf("past: got %v, want what is live", past)
		}
		return err
	}))
	g.publish(t, first)
}

// TestStrangeThingsInOurPlaces puts each of them where mirror itself writes.
func TestStrangeThingsInOurPlaces(t *testing.T) {
	longtest.Skip(t, "publishes once for each strange thing")
	id := string(targettest.Release(second).ID())
	for _, place := range []string{
		"releases/" + id, "releases/" + id + ".partial", "releases/" + id + ".sha256", "releases/" + id + ".sha256.partial",
		"releases/" + id + ".partial/index.html", "releases/" + id + ".partial/css", "releases/" + id + ".partial/" + site.DefaultBeacon,
		"releases/" + string(targettest.Release(first).ID()) + ".partial", ".mirror.lock", "current.partial",
	} {
		for name := range newGround(t).strange(t) {
			t.Run(place+", "+name, func(t *testing.T) {
				if place == "releases/"+id && (name == "folder" || name == "folder of a pipe") {
					t.Skip("that is a copy like any other, with wrong content")
				}
				g := newGround(t)
				g.publish(t, first)
				at := filepath.Join(g.path, place)
				must(t, os.MkdirAll(filepath.Dir(at), 0o755))
				put(t, g.strange(t)[name], at)
				g.publish(t, second)
				must(t, soon(t, "a prune", func(ctx context.Context) error { return g.Prune(ctx, targets.Retention{Keep: 1, Grace: -1}) }))
				g.wantServed(t, second)
				g.publish(t, first)
			})
		}
	}
}

// TestReleasesThatLeadElsewhere refuses, with a way out, and touches nothing.
func TestReleasesThatLeadElsewhere(t *testing.T) {
	for _, name := range []string{"link to a folder outside", "link to nothing", "link to itself", "pipe", "socket"} {
		t.Run(name, func(t *testing.T) {
			g := newGround(t)
			must(t, os.MkdirAll(g.path, 0o755))
			put(t, g.strange(t)[name], filepath.Join(g.path, "releases"))
			err := soon(t, "a publish", func(ctx context.Context) error {
				_, err := targettest.Publish(ctx, g.Target, targettest.Release(first))
				return err
			})
			if err == nil || !bytes.Contains([]byte(err.Error()), []byte("hint:")) {
				t.Errorf("got %v, want a refusal with a hint", err)
			}
			put(t, g.strange(t)[name], filepath.Join(g.path, "current"))
			_ = soon(t, "a plan", func(ctx context.Context) error { _, err := g.Plan(ctx, targettest.Release(first)); return err })
		})
	}
}

// TestHardLinkInAPartialCopyIsNotTaken has the right bytes in a file that is another's too: a
// later change of that other would change the live page.
func TestHardLinkInAPartialCopyIsNotTaken(t *testing.T) {
	g := newGround(t)
	work := filepath.Join(g.path, "releases", string(targettest.Release(second).ID())+".partial")
	must(t, os.MkdirAll(work, 0o755))
	must(t, os.Link(filepath.Join(g.outside, "index.html"), filepath.Join(work, "index.html")))
	g.publish(t, second)
	theirs, err := os.Stat(filepath.Join(g.outside, "index.html"))
	must(t, err)
	ours, err := os.Stat(filepath.Join(g.path, "current", "index.html"))
	must(t, err)
	if os.SameFile(theirs, ours) {
		t.Error("the live page is a file of others")
	}
}

// TestPlanOfAHugeFileEndsWithItsContext has a file that would take long to hash.
func TestPlanOfAHugeFileEndsWithItsContext(t *testing.T) {
	g := newGround(t)
	g.publish(t, first)
	must(t, os.Truncate(filepath.Join(g.path, "current", "index.html"), 4<<40))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	err := soon(t, "a plan", func(context.Context) error { _, err := g.Plan(ctx, targettest.Release(first)); return err })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// full is a file system on which the file big.html cannot be read to its end: there is no room.
type full struct{ fstest.MapFS }

type fullFile struct {
	fs.File
	left int
}

func (f full) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	if err == nil && name == "big.html" {
		return &fullFile{file, 100}, nil
	}
	return file, err
}

func (f *fullFile) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, &fs.PathError{Op: "write", Path: "big.html", Err: syscall.ENOSPC}
	}
	n, err := f.File.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}

// TestFullDiskLeavesRoom fails for want of room while a file is written: nothing of the
// release is left, and what is live stays.
func TestFullDiskLeavesRoom(t *testing.T) {
	g := newGround(t)
	g.publish(t, first)
	files := targettest.Files{"big.html": string(make([]byte, 1000)), "index.html": "x"}
	tree := full{fstest.MapFS{}}
	for name, text := range files {
		tree.MapFS[name] = &fstest.MapFile{Data: []byte(text)}
	}
	rel := targettest.Release(files)
	err := g.Stage(t.Context(), site.NewRelease(rel.Manifest, tree, site.DefaultBeacon, rel.Published), nil)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v, want ENOSPC", err)
	}
	g.wantNoLeavings(t)
	g.wantServed(t, first)
	g.publish(t, files)
}

func (g ground) wantNoLeavings(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(g.path, "releases", "*.partial"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
