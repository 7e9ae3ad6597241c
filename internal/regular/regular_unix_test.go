//go:build unix

package regular_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"mirror/internal/regular"
)

// TestNothingWaits opens what a file is not, in each way. A test that hangs has failed.
func TestNothingWaits(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.WriteFile(at("file"), []byte("text"), 0o600))
	must(t, syscall.Mkfifo(at("pipe"), 0o600))
	must(t, os.Symlink("pipe", at("link")))
	must(t, os.Symlink("file", at("alias")))
	must(t, os.Mkdir(at("folder"), 0o700))
	l, err := net.Listen("unix", at("socket"))
	must(t, err)
	defer l.Close()
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	for _, name := range []string{"pipe", "link", "folder", "socket"} {
		for way, open := range ways(root) {
			if f, err := open(name, at(name)); !errors.Is(err, regular.ErrNotRegular) {
				t.Errorf("%s of a %s: got %v, %v", way, name, f, err)
			}
		}
	}
	for way, open := range ways(root) {
		_, err := open("alias", at("alias"))
		if wantErr := way == "own"; (err != nil) != wantErr {
			t.Errorf("%s of a link to a file: got %v", way, err)
		}
		_, err = open("file", at("file"))
		must(t, err)
	}
	if data, err := regular.ReadFile(at("file"), 3); err == nil {
		t.Errorf("read %q, more than the limit", data)
	}
}

func ways(root *os.Root) map[string]func(name, path string) (io.Closer, error) {
	return map[string]func(name, path string) (io.Closer, error){
		"open":  func(_, path string) (io.Closer, error) { f, err := regular.Open(path); return closed(f, err) },
		"in":    func(name, _ string) (io.Closer, error) { f, err := regular.OpenIn(root, name); return closed(f, err) },
		"own":   func(name, _ string) (io.Closer, error) { f, err := regular.OpenOwn(root, name); return closed(f, err) },
		"write": func(_, path string) (io.Closer, error) { return closed(regular.OpenFile(path, os.O_WRONLY, 0)) },
		"read":  func(_, path string) (io.Closer, error) { _, err := regular.ReadFile(path, 100); return nil, err },
		"fs": func(name, _ string) (io.Closer, error) {
			if info, err := root.Stat(name); err == nil && info.IsDir() {
				return nil, regular.ErrNotRegular // a folder can be opened there
			}
			_, err := regular.FS(root).Open(name)
			return nil, err
		},
	}
}

func closed(f *os.File, err error) (io.Closer, error) {
	if err == nil {
		err = f.Close()
	}
	return nil, err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
