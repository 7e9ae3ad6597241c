package git

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"mirror/internal/realserver"
)

// contents are of every size at which a pack's encoding changes.
func contents() [][]byte {
	var all [][]byte
	for _, size := range []int{0, 1, 15, 16, 2047, 2048, 300_000, inMemory, inMemory + 1, 3 << 20} {
		random := make([]byte, size)
		_, _ = rand.Read(random) // it never fails
		all = append(all, random, bytes.Repeat([]byte{'a'}, size+1))
	}
	return all
}

func TestPackIsWhatGitReads(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	var items []item
	for _, b := range contents() {
		items = append(items, content(plumbing.BlobObject, b))
	}
	p, err := newPack(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	r.run(t, bytesOf(t, p), nil, "index-pack", "--strict", "--stdin")
	for _, b := range contents()[1:2] {
		if got := r.run(t, nil, nil, "cat-file", "-s", nameOf(plumbing.BlobObject, b).String()); got != fmt.Sprint(len(b)) {
			t.Errorf("size: got %s, want %d", got, len(b))
		}
	}
	r.fsck(t)
}

func bytesOf(t *testing.T, p *pack) []byte {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(p.file, 0, p.size))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPackFailsWithItsContent(t *testing.T) {
	broken := errors.New("broken")
	for _, size := range []int64{10, inMemory + 10} {
		it := item{kind: plumbing.BlobObject, size: size, open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("some"), failing{broken})), nil
		}}
		if _, err := newPack(t.Context(), []item{it}); !errors.Is(err, broken) {
			t.Errorf("an object of %d bytes: got %v, want what its content says", size, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestTreeDelta sends a flat folder of which one file in a hundred changed: git completes
// the delta, and it is a small part of the tree.
func TestTreeDelta(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	old, next := flatTree(t, 5000, 0), flatTree(t, 5000, 100)
	whole, err := newPack(t.Context(), []item{content(plumbing.TreeObject, old.raw)})
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	r.run(t, bytesOf(t, whole), nil, "unpack-objects", "-q")
	thin, err := newPack(t.Context(), []item{treeItem(next, old, true)})
	if err != nil {
		t.Fatal(err)
	}
	defer thin.Close()
	if limit := whole.size / 20; thin.size > limit {
		t.Errorf("delta: got %d bytes, want at most %d (of %d)", thin.size, limit, whole.size)
	}
	r.run(t, bytesOf(t, thin), nil, "index-pack", "--stdin", "--fix-thin")
	if got := r.run(t, nil, nil, "cat-file", "-t", next.tree.String()); got != "tree" {
		t.Errorf("after the delta: got %s, want a tree", got)
	}
}

// flatTree is a folder of so many files, each every-th of which has another content.
func flatTree(t *testing.T, count, every int) folder {
	t.Helper()
	l := &layout{files: map[string]entry{}}
	for i := range count {
		text := fmt.Sprintf("file %d", i)
		if every > 0 && i%every == 0 {
			text += " changed"
		}
		l.files[fmt.Sprintf("%05d.html", i)] = entry{blob: nameOf(plumbing.BlobObject, []byte(text)), mode: filemode.Regular}
	}
	if err := l.build(); err != nil {
		t.Fatal(err)
	}
	return l.folders[""]
}

func TestStoreRefusesBombs(t *testing.T) {
	for _, tc := range []struct {
		name string
		it   item
	}{
		{"a tree too large", item{kind: plumbing.TreeObject, size: maxTree + 1, open: empty}},
		{"a delta that makes too much", delta([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 1})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			p, err := newPack(t.Context(), []item{tc.it})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			_, err = newStore(func(w io.Writer) error { _, err := w.Write(bytesOf(t, p)); return err })
			if !errors.Is(err, errTooMuch) {
				t.Errorf("got %v, want errTooMuch", err)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v; want nothing", left, err)
			}
		})
	}
}

func empty() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }

func delta(b []byte) item {
	it := content(plumbing.REFDeltaObject, b)
	it.base = plumbing.NewHash("1111111111111111111111111111111111111111")
	return it
}
