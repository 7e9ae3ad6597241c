package state_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"mirror/internal/state"
)

// withoutRights runs do as a user that owns nothing here. The thread is used for nothing
// else: it ends with the goroutine, which keeps it locked.
func withoutRights(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0) // it reports no failure
		do()
	}()
	<-done
}

func TestAFolderThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil { //nolint:gosec // others shall read it
		t.Fatal(err)
	}
	for name, where := range map[string]string{"to be made": filepath.Join(dir, state.Name), "there": dir} {
		var f state.Folder
		var err error
		withoutRights(func() { f, err = state.Open(where) })
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if owner, err := f.Owner(); err != nil || owner == "" || f.Target("a") != "" {
			t.Errorf("%s: got owner %q, %v, target folder %q; want a passing owner and no folder", name, owner, err, f.Target("a"))
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v; want nothing", left, err)
	}
}
