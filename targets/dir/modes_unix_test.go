//go:build unix

package dir_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/dir"
)

// TestModesDoNotDependOnTheUmask publishes to a new folder, and once more to one whose modes
// an earlier version has left to the umask.
func TestModesDoNotDependOnTheUmask(t *testing.T) {
	for _, c := range []struct {
		mode         string
		file, folder fs.FileMode
	}{{"", 0o644, 0o755}, {"0640", 0o640, 0o750}, {"664", 0o664, 0o775}, {"0600", 0o600, 0o700}} {
		for _, mask := range []int{0o027, 0o077, 0} {
			path := filepath.Join(t.TempDir(), "srv", "blog")
			old := syscall.Umask(mask)
			publishModes(t, path, c.mode, map[string]string{"index.html": "one", "a/b/c.css": "one"})
			wantModes(t, filepath.Dir(path), c.file, c.folder)
			for name, mode := range map[string]fs.FileMode{"releases": 0o700, "current/": 0o700, "current/a": 0o700, "current/index.html": 0o600} {
				must(t, os.Chmod(filepath.Join(path, name), mode))
			}
			publishModes(t, path, c.mode, map[string]string{"index.html": "one", "a/b/c.css": "one"})
			wantModes(t, path, c.file, c.folder)
			syscall.Umask(old)
		}
	}
}

func publishModes(t *testing.T, path, mode string, files map[string]string) {
	t.Helper()
	source := t.TempDir()
	for name, text := range files {
		must(t, os.MkdirAll(filepath.Join(source, filepath.Dir(name)), 0o755))
		must(t, os.WriteFile(filepath.Join(source, name), []byte(text), 0o600))
	}
	rel, err := site.Scan(t.Context(), os.DirFS(source), site.ScanOptions{BeaconPath: site.DefaultBeacon, Published: time.Now()})
	must(t, err)
	tgt, err := dir.Open(dir.Config{Path: path, Mode: mode})
	must(t, err)
	live, err := tgt.Live(t.Context())
	must(t, err)
	must(t, tgt.Stage(t.Context(), rel, nil))
	must(t, tgt.Commit(t.Context(), targets.Swap{From: live, To: rel.ID()}))
}

func wantModes(t *testing.T, path string, file, folder fs.FileMode) {
	t.Helper()
	count := 0
	must(t, filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 || strings.HasPrefix(d.Name(), ".mirror.") {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := file
		if d.IsDir() {
			want = folder
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode().Perm(), want)
		}
		count++
		return nil
	}))
	if count < 8 {
		t.Errorf("found %d files and folders", count)
	}
}

// TestAModeKeepsTheSetgidBit stages below a folder that hands its group on.
func TestAModeKeepsTheSetgidBit(t *testing.T) {
	path := t.TempDir()
	must(t, os.Chmod(path, 0o755|fs.ModeSetgid))
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	publishModes(t, path, "", map[string]string{"a/b/index.html": "one"})
	info, err := os.Stat(filepath.Join(path, "current", "a", "b"))
	must(t, err)
	if info.Mode() != fs.ModeDir|fs.ModeSetgid|0o755 {
		t.Errorf("got %v", info.Mode())
	}
}

func TestWrongModes(t *testing.T) {
	for _, mode := range []string{"rw-r--r--", "0888", "0755", "0444", "0044", "07777", "-644", "0o644"} {
		if _, err := dir.Open(dir.Config{Path: t.TempDir(), Mode: mode}); err == nil {
			t.Errorf("%s: got no error", mode)
		}
	}
}
