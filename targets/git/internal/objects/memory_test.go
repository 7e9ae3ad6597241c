package objects

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/internal/realserver"
	"mirror/site"
)

// large is the size in bytes of the files in TestLargeFilesAreNotHeld.
const large = 16 << 20

// TestLargeFilesAreNotHeld stores packs with large files, as a whole and as a delta, and hashes the
// files: what is allocated in all is a small part of them.
func TestLargeFilesAreNotHeld(t *testing.T) {
	zeros := Item{Kind: plumbing.BlobObject, Size: large, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zero{}, large)), nil
	}}
	random := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random) // it never fails
	base := Content(plumbing.BlobObject, random)
	many := deltaItem(copies(len(random), large/len(random)))
	many.Base = Name(plumbing.BlobObject, random)
	first := deltaItem(copies(large, 1))
	first.Base = digestOf(io.LimitReader(zero{}, large), large)
	for name, tc := range map[string]struct {
		items []Item
		blob  plumbing.Hash
		want  io.Reader
	}{
		"whole":                 {[]Item{zeros}, first.Base, io.LimitReader(zero{}, large)},
		"a delta that is large": {[]Item{base, many}, digestOf(repeat(random), large), repeat(random)},
		"a delta of a large":    {[]Item{zeros, first}, first.Base, io.LimitReader(zero{}, large)},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := NewPack(t.Context(), tc.items)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			want := sha256.New()
			if _, err := io.Copy(want, tc.want); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s, err := NewStore(t.Context(), func(w io.Writer) error {
				_, err := io.Copy(w, io.NewSectionReader(p.File, 0, p.Size))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			f, err := s.Hash(t.Context(), tc.blob)
			runtime.ReadMemStats(&after)
			if err != nil || f.Size != large || f.Digest != site.Digest(want.Sum(nil)) {
				t.Errorf("got %+v, %v", f, err)
			}
			held := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d bytes were allocated for a file of %d", held, large)
			if held > large/2 {
				t.Errorf("got %d bytes allocated, want at most half of the file", held)
			}
		})
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// repeat reads a text over and over until there are large bytes.
func repeat(text []byte) io.Reader {
	var all []io.Reader
	for range large / len(text) {
		all = append(all, bytes.NewReader(text))
	}
	return io.MultiReader(all...)
}

func digestOf(r io.Reader, size int64) plumbing.Hash {
	h := NewHash(plumbing.BlobObject, size)
	_, _ = io.Copy(h, r) // memory does not fail
	return plumbing.Hash(h.Sum(nil))
}

// copies is a delta that copies all of a base so many times. See gitformat-pack(5).
func copies(size, times int) []byte {
	number := func(n int) (b []byte) {
		for ; n >= 0x80; n >>= 7 {
			b = append(b, byte(n)|0x80)
		}
		return append(b, byte(n))
	}
	d := append(number(size), number(size*times)...)
	for range times {
		for at := 0; at < size; at += 0xffff {
			n := min(0xffff, size-at)
			d = append(d, 0xbf, byte(at), byte(at>>8), byte(at>>16), byte(at>>24), byte(n), byte(n>>8))
		}
	}
	return d
}

// TestPacksOfGit reads packs with chains of deltas, by offset and by name, as git makes them.
func TestPacksOfGit(t *testing.T) {
	git := realserver.Need(t, "git")
	dir := t.TempDir()
	run := func(stdin []byte, args ...string) []byte {
		cmd := exec.Command(git, append([]string{"-C", dir}, args...)...)
		cmd.Stdin = bytes.NewReader(stdin)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %s: %v", strings.Join(args, " "), err)
		}
		return out
	}
	run(nil, "init", "-q", "--bare", ".")
	want, names := map[string][]byte{}, ""
	text := bytes.Repeat([]byte("some words that every page has\n"), 300)
	for i := range 40 {
		text = append(text, fmt.Sprintf("page %d of %x\n", i, i*7919)...)
		name := strings.TrimSpace(string(run(text, "hash-object", "-w", "--stdin")))
		want[name] = bytes.Clone(text)
		names += name + "\n"
	}
	for _, option := range []string{"--delta-base-offset", "--no-reuse-delta"} {
		pack := run([]byte(names), "pack-objects", "-q", "--stdout", "--window=50", "--depth=50", option)
		s, err := NewStore(t.Context(), func(w io.Writer) error { _, err := w.Write(pack); return err })
		if err != nil {
			t.Fatal(err)
		}
		deltas := 0
		for name, text := range want {
			got, err := s.Read(plumbing.BlobObject, plumbing.NewHash(name), maxTree)
			f, hashed := s.Hash(t.Context(), plumbing.NewHash(name))
			if err != nil || hashed != nil || !bytes.Equal(got, text) || f.Digest != sha256.Sum256(text) {
				t.Errorf("%s: got %d bytes, %v, %v; want %d", name, len(got), err, hashed, len(text))
			}
			if s.index.byName[plumbing.NewHash(name)].base != nil {
				deltas++
			}
		}
		if deltas < 20 {
			t.Errorf("%s: only %d of the objects are deltas", option, deltas)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestBrokenPacksAreRefused damages a pack in each of its first bytes, and cuts it.
func TestBrokenPacksAreRefused(t *testing.T) {
	base := Content(plumbing.BlobObject, bytes.Repeat([]byte("base "), 40))
	d := deltaItem(copies(200, 2))
	d.Base = Name(plumbing.BlobObject, bytes.Repeat([]byte("base "), 40))
	p, err := NewPack(t.Context(), []Item{base, d})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	whole := bytesOf(t, p)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	try := func(pack []byte) (*Store, error) {
		return NewStore(t.Context(), func(w io.Writer) error { _, err := w.Write(pack); return err })
	}
	refused := 0
	for i := range whole {
		broken := bytes.Clone(whole)
		broken[i] ^= 0x5a
		for _, pack := range [][]byte{broken, whole[:i]} {
			s, err := try(pack)
			if err != nil {
				refused++
				continue
			}
			_ = s.Close()
		}
	}
	if refused < len(whole) {
		t.Errorf("%d of %d were refused", refused, 2*len(whole))
	}
	alone, err := NewPack(t.Context(), []Item{d})
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	if _, err := try(bytesOf(t, alone)); err == nil {
		t.Error("a delta without its base: got nil, want an error")
	}
	if left, err := filepath.Glob(filepath.Join(temp, "mirror-git-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
