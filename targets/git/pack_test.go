package git

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"mirror/internal/realserver"
	"mirror/targets/git/internal/objects"
)

// inMemory is the size in bytes from which a pack's objects are streamed.
const inMemory = 1 << 20

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
	var items []objects.Item
	for _, b := range contents() {
		items = append(items, objects.Content(plumbing.BlobObject, b))
	}
	p, err := objects.NewPack(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	r.run(t, bytesOf(t, p), nil, "index-pack", "--strict", "--stdin")
	for _, b := range contents()[1:2] {
		if got := r.run(t, nil, nil, "cat-file", "-s", objects.Name(plumbing.BlobObject, b).String()); got != fmt.Sprint(len(b)) {
			t.Errorf("size: got %s, want %d", got, len(b))
		}
	}
	r.fsck(t)
}

func bytesOf(t *testing.T, p *objects.Pack) []byte {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(p.File, 0, p.Size))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTreeDelta sends a flat folder of which one file in a hundred changed: git completes
// the delta, and it is a small part of the tree.
func TestTreeDelta(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	old, next := flatTree(t, 5000, 0), flatTree(t, 5000, 100)
	whole, err := objects.NewPack(t.Context(), []objects.Item{objects.Content(plumbing.TreeObject, old.Raw)})
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	r.run(t, bytesOf(t, whole), nil, "unpack-objects", "-q")
	thin, err := objects.NewPack(t.Context(), []objects.Item{objects.TreeItem(next, old, true)})
	if err != nil {
		t.Fatal(err)
	}
	defer thin.Close()
	if limit := whole.Size / 20; thin.Size > limit {
		t.Errorf("delta: got %d bytes, want at most %d (of %d)", thin.Size, limit, whole.Size)
	}
	r.run(t, bytesOf(t, thin), nil, "index-pack", "--stdin", "--fix-thin")
	if got := r.run(t, nil, nil, "cat-file", "-t", next.Tree.String()); got != "tree" {
		t.Errorf("after the delta: got %s, want a tree", got)
	}
}

// flatTree is a folder of so many files, each every-th of which has another content.
func flatTree(t *testing.T, count, every int) objects.Folder {
	t.Helper()
	l := &layout{files: map[string]objects.Entry{}}
	for i := range count {
		text := fmt.Sprintf("file %d", i)
		if every > 0 && i%every == 0 {
			text += " changed"
		}
		l.files[fmt.Sprintf("%05d.html", i)] = objects.Entry{Blob: objects.Name(plumbing.BlobObject, []byte(text)), Mode: filemode.Regular}
	}
	if err := l.build(); err != nil {
		t.Fatal(err)
	}
	return l.folders[""]
}
