package history_test

import (
	"bufio"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mirror/internal/history"
	"mirror/internal/longtest"
)

const (
	addTo     = "MIRROR_TEST_ADD_TO"
	readFrom  = "MIRROR_TEST_READ_FROM"
	killPages = 3000
)

// TestHelperAdd adds releases to the history in the environment until it is killed.
func TestHelperAdd(t *testing.T) {
	path := os.Getenv(addTo)
	if path == "" {
		t.Skip("runs only as the other process of TestKilledWhileAdding")
	}
	s := open(t, path)
	past, err := s.Past(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	if len(past) > 0 {
		next = int(past[0].Published.Sub(began)/time.Minute) + 1
	}
	for ; ; next++ {
		add(t, s, big(killPages, next))
		if _, err := os.Stdout.WriteString("added\n"); err != nil {
			return
		}
	}
}

// TestKilledWhileAdding kills a process that adds releases, again and again: what it had
// added is there, each release is whole, and the next process goes on.
func TestKilledWhileAdding(t *testing.T) {
	longtest.Skip(t, "kills a process many times")
	path, said := place(t), 0
	for range 12 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestHelperAdd$")
		cmd.Env = append(os.Environ(), addTo+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, kill := bufio.NewScanner(out), time.AfterFunc(time.Hour, func() { _ = cmd.Process.Kill() })
		for first := true; lines.Scan(); first = false {
			if lines.Text() == "added" {
				said++
			}
			if first {
				kill.Reset(rand.N(60 * time.Millisecond))
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("it ended by itself")
		}
		wantWhole(t, path, said)
	}
}

// wantWhole fails unless the history holds the releases one after the other, at least as many
// as were said to be added, each with all of its files.
func wantWhole(t *testing.T, path string, said int) {
	t.Helper()
	past, err := open(t, path).Past(t.Context(), history.Keep, nil)
	if err != nil {
		t.Fatal(err)
	}
	newest := int(past[0].Published.Sub(began) / time.Minute)
	if newest+1 < said || len(past) != min(newest+1, history.Keep) {
		t.Errorf("got %d releases up to number %d, and %d were added", len(past), newest, said)
	}
	for i, p := range past {
		if want := big(killPages, newest-i); p.Release != want.Release || !slices.Equal(p.Manifest, want.Manifest) {
			t.Fatalf("release number %d is not whole", newest-i)
		}
	}
}

// TestHelperRead reads the history in the environment and then tries to write it.
func TestHelperRead(t *testing.T) {
	path := os.Getenv(readFrom)
	if path == "" {
		t.Skip("runs only as the other process of TestUnwritable")
	}
	past, err := use(t.Context(), path)
	t.Logf("read %d releases, error %v", len(past), err)
	s := open(t, path)
	t.Logf("write: %v", s.AddRelease(t.Context(), big(10, 0)))
}

func statesOf(t *testing.T, path string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}
