package selfbase

import (
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mirror/targets"
)

// TestTheBinaryForLinuxBesideAnotherSystems runs from a program that is none for Linux, as on macOS and
// Windows.
func TestTheBinaryForLinuxBesideAnotherSystems(t *testing.T) {
	dir := t.TempDir()
	running := filepath.Join(dir, "mirror.exe")
	if err := os.WriteFile(running, []byte("MZ, or a Mach-O header"), 0o600); err != nil {
		t.Fatal(err)
	}
	linux := v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	beside := filepath.Join(dir, "mirror-linux-"+runtime.GOARCH)
	_, err := New(running).locate(linux)
	var refused *targets.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("none there: got %v", err)
	}
	for _, want := range []string{beside, "self_binary", "GOOS=linux", "none"} {
		if !strings.Contains(refused.Hint, want) {
			t.Errorf("the hint %q does not say %q", refused.Hint, want)
		}
	}
	if f, err := elf.Open(os.Args[0]); err != nil {
		t.Skip("this is no ELF file of Linux")
	} else {
		f.Close()
	}
	if err := os.Link(os.Args[0], beside); err != nil {
		if err := os.Symlink(os.Args[0], beside); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := New(running).locate(linux); err != nil || got != beside {
		t.Errorf("got %q, %v; want %q", got, err, beside)
	}
}
