package oserr_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"mirror/internal/oserr"
)

// TestRealErrors asks the system itself.
func TestRealErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, taken := net.Dial("tcp", c.LocalAddr().String()) // a port that is in use and does not listen
	l.Close()
	if err := fmt.Errorf("ask: %w", taken); !oserr.Refused(err) || oserr.Reset(err) || oserr.Unreachable(err) {
		t.Errorf("refused: got %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file + ".none", filepath.Join(file, "below")} {
		if _, err := os.Open(name); !oserr.NoFile(err) || oserr.NoRoom(err) || oserr.ReadOnly(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if oserr.NoFile(nil) || oserr.NoFile(errors.New("other")) || oserr.Refused(nil) {
		t.Error("what is no error of the system is taken for one")
	}
}
