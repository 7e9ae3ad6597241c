package console_test

import (
	"os"
	"testing"

	"mirror/internal/console"
)

func TestAFileIsNoTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if console.IsTerminal(f) {
		t.Error("a file is taken for a terminal")
	}
}
