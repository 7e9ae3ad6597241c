package delta

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// lines are records that have much in common, as those of a sitemap.
func lines(n int, edit func(i int, line string) string) []byte {
	var b strings.Builder
	for i := range n {
		line := fmt.Sprintf("<url><loc>https://blog.example.com/posts/2024/%04d-some-title/</loc><lastmod>2024-%02d-%02d</lastmod></url>\n", i, i%12+1, i%28+1)
		b.WriteString(edit(i, line))
	}
	return []byte(b.String())
}

func same(_ int, line string) string { return line }

func random(size int) []byte {
	b, r := make([]byte, size), rand.New(rand.NewPCG(1, uint64(size))) //nolint:gosec // no secret
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestDeltas(t *testing.T) {
	t.Parallel()
	long := random(300_000)
	for name, tc := range map[string]struct {
		base, target []byte
		most         int // bytes of the delta
	}{
		"nothing":                 {nil, nil, 2},
		"of nothing":              {nil, []byte("a page"), 9},
		"to nothing":              {[]byte("a page"), nil, 2},
		"the same":                {long, long, 60},
		"short":                   {[]byte("abc"), []byte("abcd"), 7},
		"in place":                {long, bytes.ReplaceAll(long, long[1000:1004], []byte("edit")), 80},
		"at the beginning":        {long, append([]byte("new "), long...), 80},
		"cut":                     {long, long[5:], 60},
		"moved":                   {long, append(bytes.Clone(long[150_001:]), long[:150_001]...), 80},
		"zeros":                   {make([]byte, 1<<20), make([]byte, 1<<20+5), 200},
		"a line in fifty":         {lines(5000, same), lines(5000, func(i int, l string) string { return editEach(50, i, l) }), 2000},
		"a line in fifty, longer": {lines(5000, same), lines(5000, func(i int, l string) string { return lengthenEach(50, i, l) }), 2500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Encode(tc.base, tc.target, len(tc.target)+tc.most)
			wantMade(t, tc.base, tc.target, d)
			if len(d) > tc.most {
				t.Errorf("size: got %d bytes, want at most %d", len(d), tc.most)
			}
		})
	}
}

func editEach(n, i int, line string) string {
	if i%n == 0 {
		return strings.Replace(line, "<lastmod>2", "<lastmod>3", 1)
	}
	return line
}

func lengthenEach(n, i int, line string) string {
	if i%n == 0 {
		return strings.Replace(line, "some-title", fmt.Sprintf("longer-%d", i), 1)
	}
	return line
}

// wantMade has go-git apply a delta.
func wantMade(t *testing.T, base, target, d []byte) {
	t.Helper()
	if len(target) == 0 || len(base) == 0 {
		return // go-git takes no such deltas
	}
	got, err := packfile.PatchDelta(base, d)
	if err != nil || !bytes.Equal(got, target) {
		t.Errorf("a delta of %d bytes makes %d bytes, want %d: %v", len(d), len(got), len(target), err)
	}
}

func TestNoDeltaOfOtherContent(t *testing.T) {
	t.Parallel()
	if d := Encode(random(100_000), random(100_001), 50_000); d != nil {
		t.Errorf("got a delta of %d bytes, want none", len(d))
	}
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte("a page of a site, and more"), []byte("a page of a site, and some more"))
	f.Add(lines(30, same), lines(30, func(i int, l string) string { return lengthenEach(3, i, l) }))
	f.Add(make([]byte, 70_000), make([]byte, 140_000))
	f.Fuzz(func(t *testing.T, base, target []byte) {
		wantMade(t, base, target, Encode(base, target, 2*len(target)+64))
	})
}

func BenchmarkEncode(b *testing.B) {
	base, target := lines(20_000, same), lines(20_000, func(i int, l string) string { return editEach(50, i, l) })
	b.SetBytes(int64(len(target)))
	for b.Loop() {
		Encode(base, target, len(target))
	}
}
