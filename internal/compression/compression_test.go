package compression

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestChoose(t *testing.T) {
	all := []Coding{Brotli, Zstd, Gzip}
	for _, c := range []struct {
		accept []string
		want   Choice
	}{
		{nil, Choice{"", true, false}},
		{[]string{""}, Choice{"", true, false}},
		{[]string{"gzip, deflate, br, zstd"}, Choice{Brotli, true, false}},
		{[]string{"gzip", "zstd"}, Choice{Zstd, true, false}},
		{[]string{"GZIP;Q=0.5"}, Choice{Gzip, true, false}},
		{[]string{"x-gzip"}, Choice{Gzip, true, false}},
		{[]string{"br;q=0.1, gzip;q=0.9"}, Choice{Gzip, true, false}},
		{[]string{"br;q=0, *"}, Choice{Zstd, true, false}},
		{[]string{"gzip;q=0"}, Choice{"", true, false}},
		{[]string{"*;q=0"}, Choice{"", false, true}},
		{[]string{"*;q=0, identity"}, Choice{"", true, false}},
		{[]string{"*;q=0, gzip"}, Choice{Gzip, false, false}},
		{[]string{"identity;q=0"}, Choice{"", false, true}},
		{[]string{"identity;q=0, gzip;q=0.001"}, Choice{Gzip, false, false}},
		{[]string{"identity, gzip;q=0.5"}, Choice{"", true, false}},
		{[]string{"identity;q=0.5, gzip"}, Choice{Gzip, true, false}},
		{[]string{"identity;q=0.5, gzip;q=0.5"}, Choice{Gzip, true, false}},
		{[]string{"compress, deflate"}, Choice{"", true, false}},
		{[]string{"gzip;q=2, br;q=x, zstd;q=-1"}, Choice{"", true, false}},
		{[]string{"br;level=3;q=0.2 , gzip ; q=0.3"}, Choice{Gzip, true, false}},
		{[]string{strings.Repeat("x,", maxMembers) + "gzip"}, Choice{"", true, false}},
	} {
		if got := Choose(c.accept, all); got != c.want {
			t.Errorf("%.60q: got %+v, want %+v", c.accept, got, c.want)
		}
	}
	if got := Choose([]string{"br"}, []Coding{Gzip}); got != (Choice{"", true, false}) {
		t.Errorf("br where gzip is offered: got %+v", got)
	}
}

func TestCompressible(t *testing.T) {
	for kind, want := range map[string]bool{
		"text/html; charset=utf-8": true, "text/css": true, "application/json": true, "application/atom+xml": true, "image/svg+xml": true, "application/wasm": true,
		"image/png": false, "font/woff2": false, "application/zip": false, "application/octet-stream": false, "": false, "text/event-stream": false,
	} {
		if Compressible(kind) != want {
			t.Errorf("%s: got %v", kind, !want)
		}
	}
}

func TestVariantsDecode(t *testing.T) {
	for _, body := range [][]byte{nil, []byte("a"), bytes.Repeat([]byte("all work and no play "), 10_000), random(100_000)} {
		for _, c := range preferred {
			made, err := Encode(c, body)
			if err != nil || !decodesTo(c, made, body) || decodesTo(c, made, append([]byte("x"), body...)) || decodesTo(c, []byte("nonsense"), []byte("x")) {
				t.Errorf("%s of %d bytes: %d bytes, %v", c, len(body), len(made), err)
			}
			if again, err := Encode(c, body); err != nil || !bytes.Equal(made, again) {
				t.Errorf("%s of %d bytes is not the same each time", c, len(body))
			}
		}
	}
}

func random(n int) []byte {
	body, source := make([]byte, n), rand.NewChaCha8([32]byte{})
	_, _ = source.Read(body) // never fails
	return body
}

// TestStoreKeepsVariants makes a variant once, also for several that ask at once and for the next run.
func TestStoreKeepsVariants(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "variants")
	body := bytes.Repeat([]byte("all work and no play "), 1000)
	digest := sha256.Sum256(body)
	s := NewStore(dir, 1<<20)
	var all sync.WaitGroup
	got := make([]*Variant, 20)
	for i := range got {
		all.Go(func() { got[i], _ = s.Get(digest, Gzip, body) })
	}
	all.Wait()
	for _, v := range got {
		if v == nil || v != got[0] || !v.Saves {
			t.Fatalf("got %+v, %+v", v, got[0])
		}
	}
	name := filepath.Join(dir, hex.EncodeToString(digest[:])+".gzip")
	before, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := NewStore(dir, 1<<20).Get(digest, Gzip, body); err != nil || !bytes.Equal(v.Body, got[0].Body) {
		t.Errorf("the next run got %v, %v", v, err)
	}
	if after, err := os.Stat(name); err != nil || !os.SameFile(before, after) {
		t.Errorf("it was made again: %v", err)
	}
	for _, wrong := range []string{"", "nonsense", string(got[0].Body[:50])} {
		if err := os.WriteFile(name, []byte(wrong), 0o600); err != nil {
			t.Fatal(err)
		}
		if v, err := NewStore(dir, 1<<20).Get(digest, Gzip, body); err != nil || !bytes.Equal(v.Body, got[0].Body) {
			t.Errorf("over a damaged file: got %v, %v", v, err)
		}
	}
	if _, err := s.Get(digest, Brotli, body[1:]); err == nil {
		t.Error("a body with another digest was taken")
	}
}

// TestStoreIsBounded in memory and on disk.
func TestStoreIsBounded(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(other, random(200_000), 0o600); err != nil {
		t.Fatal(err)
	}
	s := NewStore(dir, 10_000)
	var first string
	for i := range 60 {
		body := append(random(2000), byte(i))
		digest := sha256.Sum256(body)
		if v, err := s.Get(digest, Gzip, body); err != nil || v.Saves {
			t.Fatalf("got %+v, %v", v, err)
		}
		name := s.file(key{digest, Gzip})
		if i == 0 {
			first = name
		}
		old := time.Now().Add(time.Duration(i-1000) * time.Hour)
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if s.bytes > s.maxMemory || len(s.kept) == 0 {
		t.Errorf("%d bytes of %d variants in memory", s.bytes, len(s.kept))
	}
	var onDisk int64
	for _, f := range s.files() {
		onDisk += f.Size()
	}
	if _, err := os.Stat(first); onDisk > s.maxDisk || onDisk < s.maxDisk/2 || err == nil {
		t.Errorf("%d bytes on disk, the oldest: %v", onDisk, err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error("a file of others was removed")
	}
}

func TestParse(t *testing.T) {
	if got, err := Parse([]string{"gzip", "br", "gzip"}); err != nil || len(got) != 2 || got[0] != Brotli {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := Parse([]string{"deflate"}); err == nil {
		t.Error("deflate was taken")
	}
}
