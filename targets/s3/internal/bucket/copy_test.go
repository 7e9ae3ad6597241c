package bucket

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
)

// TestHeld: a body that is read to be written again is whole, can be read twice, and leaves no file.
func TestHeld(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	for _, size := range []int{0, 5, inMemory + 1} {
		data := bytes.Repeat([]byte("x"), size)
		body, _, err := held(bytes.NewReader(data), int64(size))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := body.Seek(0, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes: got %d, %v", size, len(got), err)
			}
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, size := range []int64{9, inMemory + 9} {
		if _, _, err := held(strings.NewReader("short"), size); err == nil {
			t.Errorf("a body that ends early, %d bytes: no error", size)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
