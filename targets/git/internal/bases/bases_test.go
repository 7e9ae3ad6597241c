package bases

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/targets/git/internal/objects"
)

// round packs contents of a set as a publish does, and returns their names.
func round(t *testing.T, state string, live map[plumbing.Hash]bool, texts ...string) []plumbing.Hash {
	t.Helper()
	s := Open(state)
	var items []objects.Item
	var names []plumbing.Hash
	for _, text := range texts {
		it := objects.Content(plumbing.BlobObject, []byte(text))
		it.Name = objects.Name(plumbing.BlobObject, []byte(text))
		items, names = append(items, it), append(names, it.Name)
		if live != nil {
			live[it.Name] = true
		}
	}
	p, err := objects.NewThinPack(t.Context(), items, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(live); err != nil {
		t.Fatal(err)
	}
	return names
}

func page(i, size int) string {
	var b bytes.Buffer
	for b.Len() < size {
		fmt.Fprintf(&b, "<p>paragraph %d of page %d</p>\n", b.Len(), i)
	}
	return b.String()
}

func wantRead(t *testing.T, state string, name plumbing.Hash, want string) {
	t.Helper()
	s := Open(state)
	if got := string(s.Read(name)); got != want {
		t.Errorf("read: got %d bytes, want %d", len(got), len(want))
	}
	if err := s.Close(nil); err != nil {
		t.Error(err)
	}
}

// TestManyPublishes keeps every content that is live, in a few packs.
func TestManyPublishes(t *testing.T) {
	t.Parallel()
	state, live := t.TempDir(), map[plumbing.Hash]bool{}
	first := round(t, state, live, page(1, 900_000))[0]
	var last plumbing.Hash
	for i := range 3 * maxPacks {
		delete(live, last)
		last = round(t, state, live, page(i+2, 3000))[0]
	}
	packs, err := filepath.Glob(filepath.Join(state, "contents", "*.pack"))
	if err != nil || len(packs) > maxPacks+1 {
		t.Errorf("packs: got %d, %v; want at most %d", len(packs), err, maxPacks+1)
	}
	wantRead(t, state, first, page(1, 900_000))
	wantRead(t, state, last, page(3*maxPacks+1, 3000))
}

// TestWhatIsDeadGoes has contents of which none stays live: the folder does not grow without end.
func TestWhatIsDeadGoes(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	noise := func(i uint64) string { // compresses to about three quarters
		r, b := rand.New(rand.NewPCG(i, 1)), make([]byte, 2<<20) //nolint:gosec // no secret
		for i := range b {
			b[i] = byte(r.Uint32N(64))
		}
		return string(b)
	}
	for i := range uint64(20) {
		round(t, state, map[plumbing.Hash]bool{}, noise(i))
	}
	var size int64
	files, _ := filepath.Glob(filepath.Join(state, "contents", "*"))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			size += info.Size()
		}
	}
	if size > 2*spare {
		t.Errorf("kept: got %d bytes of which nothing is live, want at most %d", size, 2*spare)
	}
}

// TestDamage reads what a disk has damaged: it is not at hand, and what the next publish keeps is.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"pack", "idx"} {
		for _, do := range []func([]byte) []byte{
			func(b []byte) []byte { b[len(b)/2] ^= 0x55; return b },
			func(b []byte) []byte { return b[:len(b)/2] },
			func([]byte) []byte { return nil },
		} {
			state := t.TempDir()
			name := round(t, state, nil, page(1, 3000))[0]
			files, _ := filepath.Glob(filepath.Join(state, "contents", "*."+suffix))
			text, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(files[0], do(text), 0o600); err != nil {
				t.Fatal(err)
			}
			wantRead(t, state, name, "")
			other := round(t, state, nil, page(2, 3000))[0]
			wantRead(t, state, other, page(2, 3000))
		}
	}
}

// TestDeltaIsSmaller packs a second version: with the first one at hand it is a small part.
func TestDeltaIsSmaller(t *testing.T) {
	t.Parallel()
	state, old, next := t.TempDir(), page(1, 500_000), page(1, 500_000)+"<p>more</p>\n"
	it := objects.Content(plumbing.BlobObject, []byte(next))
	it.Base = round(t, state, nil, old)[0]
	s := Open(state)
	defer s.Close(nil)
	p, err := objects.NewThinPack(t.Context(), []objects.Item{it}, s)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if b, err := io.ReadAll(io.NewSectionReader(p.File, 0, p.Size)); err != nil || len(b) > 200 {
		t.Errorf("pack: got %d bytes, %v; want at most 200", len(b), err)
	}
}
