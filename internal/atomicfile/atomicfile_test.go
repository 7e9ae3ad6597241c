package atomicfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	for _, text := range []string{"one", "", "three"} {
		if err := WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); err != nil || string(got) != text {
			t.Errorf("got %q, %v; want %q", got, err, text)
		}
	}
	if runtime.GOOS != "windows" { // has no such modes
		if err := os.Chmod(name, 0o640); err != nil { //nolint:gosec // another mode than that of a new file
			t.Fatal(err)
		}
		if err := WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("got mode %v, %v; want that of the file that was there", info.Mode(), err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"folder", "nothing/file"} {
		if err := WriteFile(filepath.Join(dir, bad), []byte("x"), 0o600); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("got %v, %v; want the file and the folder", entries, err)
	}
}

// TestReadersSeeWholeFiles reads while the file is replaced again and again.
func TestReadersSeeWholeFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	const rounds = 50
	text := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i%26)}, 1+i*100) }
	if err := WriteFile(name, text(0), 0o600); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				got, err := os.ReadFile(name)
				if err != nil || len(got) == 0 || !bytes.Equal(got, bytes.Repeat(got[:1], len(got))) || len(got)%100 != 1 {
					t.Errorf("got %d bytes, %v", len(got), err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range rounds {
		if err := WriteFile(name, text(i), 0o600); err != nil {
			t.Error(err)
		}
	}
	close(done)
	readers.Wait()
}

// TestAFileInUseIsTriedAgain has the system refuse as Windows does.
func TestAFileInUseIsTriedAgain(t *testing.T) {
	busy := errors.New("in use")
	inUse := func(err error) bool { return errors.Is(err, busy) }
	for name, c := range map[string]struct {
		refusals int
		err      error
		want     error
		tries    int
	}{
		"free":            {0, nil, nil, 1},
		"in use at first": {3, busy, nil, 4},
		"in use for ever": {1 << 30, busy, busy, 11},
		"another refusal": {1 << 30, fs.ErrPermission, fs.ErrPermission, 1},
	} {
		tries, slept := 0, time.Duration(0)
		err := insist(func() error {
			if tries++; tries <= c.refusals {
				return c.err
			}
			return nil
		}, inUse, func(d time.Duration) { slept += d })
		if !errors.Is(err, c.want) || tries != c.tries {
			t.Errorf("%s: got %v after %d tries; want %v after %d", name, err, tries, c.want, c.tries)
		}
		if slept > 2*time.Second {
			t.Errorf("%s: slept %v", name, slept)
		}
	}
}
