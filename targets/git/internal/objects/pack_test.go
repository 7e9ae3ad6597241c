package objects

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

func TestPackFailsWithItsContent(t *testing.T) {
	broken := errors.New("broken")
	for _, size := range []int64{10, inMemory + 10} {
		it := Item{Kind: plumbing.BlobObject, Size: size, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("some"), failing{broken})), nil
		}}
		if _, err := NewPack(t.Context(), []Item{it}); !errors.Is(err, broken) {
			t.Errorf("an object of %d bytes: got %v, want what its content says", size, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func bytesOf(t *testing.T, p *Pack) []byte {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(p.File, 0, p.Size))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStoreRefusesBombs(t *testing.T) {
	for _, tc := range []struct {
		name string
		it   Item
	}{
		{"a tree too large", Item{Kind: plumbing.TreeObject, Size: maxTree + 1, Open: empty}},
		{"a delta that makes too much", deltaItem([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 1})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			p, err := NewPack(t.Context(), []Item{tc.it})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			_, err = NewStore(t.Context(), func(w io.Writer) error { _, err := w.Write(bytesOf(t, p)); return err })
			if !errors.Is(err, ErrTooMuch) {
				t.Errorf("got %v, want ErrTooMuch", err)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v; want nothing", left, err)
			}
		})
	}
}

func empty() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }

func deltaItem(b []byte) Item {
	it := Content(plumbing.REFDeltaObject, b)
	it.Base = plumbing.NewHash("1111111111111111111111111111111111111111")
	return it
}
