package history_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"mirror/internal/history"
)

// asNobody runs TestHelperRead on path as user 65534, since root can write everything.
func asNobody(t *testing.T, path string) string {
	t.Helper()
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	self := filepath.Join(t.TempDir(), "history.test")
	if err := os.WriteFile(self, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, self} {
		for dir := filepath.Dir(file); dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, 0o644); err != nil && !os.IsNotExist(err) { // its owner lets others read it
			t.Fatal(err)
		}
	}
	cmd := exec.Command(self, "-test.run", "^TestHelperRead$", "-test.v")
	cmd.Dir, cmd.Env = "/", append(os.Environ(), readFrom+"="+path)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestUnwritable(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs another user's file")
	}
	path := place(t)
	s, err := history.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	add(t, s, big(10, 1), big(10, 2))
	want := func(reads string) {
		t.Helper()
		got := asNobody(t, path)
		for _, part := range []string{reads, "write: history " + path + " cannot be written", "hint: may this user write"} {
			if !strings.Contains(got, part) {
				t.Errorf("got %s\nwant %q in it", got, part)
			}
		}
	}
	want("read 2 releases, error <nil>") // while its owner has it open
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := statesOf(t, path)
	want("read 2 releases, error <nil>")
	if after := statesOf(t, path); !slices.Equal(after, before) {
		t.Errorf("reading left %q, was %q", after, before)
	}
}
