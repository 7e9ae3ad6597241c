//go:build unix

package site_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mirror/site"
)

const scanFolder = "MIRROR_TEST_SCAN"

// scanAsNobody scans dir in a process of user 65534, since root can read everything, and
// returns what that process printed.
func scanAsNobody(t *testing.T, dir string) string {
	t.Helper()
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	self := filepath.Join(t.TempDir(), "site.test")
	if err := os.WriteFile(self, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, self} {
		openWay(t, path)
	}
	cmd := exec.Command(self, "-test.run", "^TestHelperScan$", "-test.v")
	cmd.Dir, cmd.Env = "/", append(os.Environ(), scanFolder+"="+dir)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// openWay lets everybody pass the test's own folders above path.
func openWay(t *testing.T, path string) {
	t.Helper()
	for dir := filepath.Dir(path); dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHelperScan prints what a scan of the folder in the environment says.
func TestHelperScan(t *testing.T) {
	dir := os.Getenv(scanFolder)
	if dir == "" {
		t.Skip("runs only as the other process of TestScanUnreadable")
	}
	_, err := scan(t, dir, site.ScanOptions{})
	t.Log(err)
}

func TestScanUnreadable(t *testing.T) {
	for name, want := range map[string]string{
		"secret.html": `"secret.html": permission denied`,
		"closed":      `"closed": the folder cannot be read: permission denied`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, map[string]string{"index.html": "", "secret.html": "", "closed/x": ""})
			if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chmod(filepath.Join(dir, name), 0o755) })
			if got := scanAsNobody(t, dir); !strings.Contains(got, site.ErrRefused.Error()) || !strings.Contains(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
