//go:build unix

package dir_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"mirror/targets"
	"mirror/targets/dir"
	"mirror/targets/targettest"
)

// TestKeptFoldersStayTheirOwners publishes twice over folders in which an application stores:
// each has the mode, owner and time that it had, and so have its parents and a link's aim.
func TestKeptFoldersStayTheirOwners(t *testing.T) {
	g := newGround(t)
	g.Target = openKeeping(t, g.path, "data/*/uploads/**")
	live := filepath.Join(g.path, "current")
	put := func(files targettest.Files) {
		_, err := targettest.Publish(t.Context(), g.Target, targettest.Release(files))
		must(t, err)
	}
	put(first)
	folders := map[string]fs.FileMode{
		"data": 0o750, "data/app": 0o770 | fs.ModeSetgid, "data/app/uploads": 0o770 | fs.ModeSetgid,
		"data/app/uploads/drop": 0o777 | fs.ModeSticky, "data/app/uploads/own": 0o700 | fs.ModeSetuid,
	}
	must(t, os.MkdirAll(filepath.Join(live, "data/app/uploads/drop"), 0o755))
	must(t, os.MkdirAll(filepath.Join(live, "data/app/uploads/own"), 0o755))
	must(t, os.WriteFile(filepath.Join(live, "data/app/uploads/own/cat.jpg"), []byte("cat"), 0o600))
	must(t, os.Symlink(g.outside, filepath.Join(live, "data/app/uploads/link")))
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 65534, 65533
	}
	then := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for path, mode := range folders {
		at := filepath.Join(live, path)
		must(t, os.Chown(at, uid, gid))
		must(t, os.Chmod(at, mode))
		must(t, os.Chtimes(at, then, then))
	}
	for _, files := range []targettest.Files{second, first, second} {
		put(files)
		for path, mode := range folders {
			info, err := os.Stat(filepath.Join(live, path))
			must(t, err)
			s := info.Sys().(*syscall.Stat_t)
			if info.Mode() != mode|fs.ModeDir || int(s.Uid) != uid || int(s.Gid) != gid || !info.ModTime().Equal(then) {
				t.Errorf("%s: got %s %d:%d %s, want %s %d:%d %s", path, info.Mode(), s.Uid, s.Gid, info.ModTime(), mode|fs.ModeDir, uid, gid, then)
			}
		}
	}
}

// TestKeptCopiesStayTheirOwners takes kept files along that cannot get a second name: the live
// link leads out of the target's folder.
func TestKeptCopiesStayTheirOwners(t *testing.T) {
	g := newGround(t)
	g.Target = openKeeping(t, g.path, "uploads/**")
	theirs := t.TempDir()
	file := filepath.Join(theirs, "uploads", "cat.jpg")
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, []byte("cat"), 0o600))
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 65534, 65533
	}
	must(t, os.Chown(file, uid, gid))
	must(t, os.Chmod(file, 0o666|fs.ModeSetuid))
	must(t, os.MkdirAll(g.path, 0o755))
	must(t, os.Symlink(theirs, filepath.Join(g.path, "current")))
	_, err := targettest.Publish(t.Context(), g.Target, targettest.Release(first))
	must(t, err)
	info, err := os.Lstat(filepath.Join(g.path, "current", "uploads", "cat.jpg"))
	must(t, err)
	s := info.Sys().(*syscall.Stat_t)
	if info.Mode() != 0o666 || int(s.Uid) != uid || int(s.Gid) != gid {
		t.Errorf("got %s %d:%d, want -rw-rw-rw- %d:%d", info.Mode(), s.Uid, s.Gid, uid, gid)
	}
}

func openKeeping(t *testing.T, path, glob string) *dir.Target {
	t.Helper()
	tgt, err := dir.New(t.Context(), targets.Env{Keep: targets.Keep{glob}}, func(c any) error { c.(*dir.Config).Path = path; return nil })
	must(t, err)
	return tgt.(*dir.Target)
}
