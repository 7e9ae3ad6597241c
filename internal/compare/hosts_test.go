package compare

import (
	"crypto/sha256"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"io"

	"pgregory.net/rapid"

	"mirror/site"
)

func without(t testing.TB, base, text string) (site.Digest, int) {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	h := newHostless(newOwnBase(u))
	io.WriteString(h, text)
	return h.sum()
}

// TestHostless compares what two mirrors serve: the same, where only the own base differs.
func TestHostless(t *testing.T) {
	for _, c := range []struct {
		a, b string // the text on a.example/ and on b.example/sub/
		same bool
	}{
		{`<link href="https://a.example/x">`, `<link href="https://b.example/sub/x">`, true},
		{`<link href="https://a.example">`, `<link href="https://b.example/sub">`, true},
		{`src=//a.example/x`, `src=//b.example/sub/x`, true},
		{`<link href="https://A.Example/x">`, `<link href="HTTPS://b.EXAMPLE/sub/x">`, true},
		{`<link href="https://A.Example/X">`, `<link href="https://b.example/sub/x">`, false},
		{`{"u":"https:\/\/a.example\/x"}`, `{"u":"https:\/\/b.example\/sub\/x"}`, true},
		{`share?u=https%3A%2F%2Fa.example%2Fx`, `share?u=https%3a%2f%2fb.example%2Fsub%2fx`, false}, // the rest differs in case
		{`share?u=https%3A%2F%2Fa.example%2Fx`, `share?u=https%3a%2f%2fb.example%2fsub%2Fx`, true},
		{`<a href="https://a.example:443/">`, `<a href="https://b.example/sub/">`, true},
		{`See https://a.example. Or`, `See https://b.example/sub. Or`, true},
		{`https://a.example.evil/`, `https://b.example/sub.evil/`, false},
		{`https://a.example:8443/`, `https://b.example/sub:8443/`, false},
		{`https://a.example/x`, `https://b.example/subx/x`, false},
		{`https://a.example/x`, `https://b.example/x`, false},
		{`http://a.example/x`, `https://b.example/sub/x`, false},
		{`https://www.a.example/x`, `https://www.b.example/sub/x`, false},
		{`mail me@a.example`, `mail me@b.example/sub`, false},
		{`a.example`, `b.example/sub`, false},
		{`https://a.example/x 1`, `https://b.example/sub/x 2`, false},
		{`plain`, `plain`, true},
	} {
		a, _ := without(t, "https://a.example/", c.a)
		b, _ := without(t, "https://b.example/sub/", c.b)
		if (a == b) != c.same {
			t.Errorf("%s and %s: same is %v", c.a, c.b, a == b)
		}
	}
	if d, n := without(t, "https://a.example/", "no host"); n != 0 || d != sha256.Sum256([]byte("no host")) {
		t.Errorf("got %s, %d", d, n)
	}
	if _, n := without(t, "http://127.0.0.1:8080/", `http://127.0.0.1:8080/ //127.0.0.1:8080 http%3A%2F%2F127.0.0.1%3A8080%2F http://127.0.0.1:80801/ http://127.0.0.1/`); n != 3 {
		t.Errorf("got %d links to the own host, want 3", n)
	}
}

// TestHostlessInPieces has the text come in any pieces: that changes nothing.
func TestHostlessInPieces(t *testing.T) {
	words := []string{"https://a.example", "//a.example/", "%3A%2F%2Fa.example%2F", "https", ":", "/", "a.example", "a.", ":443", " ", "x", strings.Repeat("y", 70)}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(words)).Draw(t, "text"), "")
		u, _ := url.Parse("https://a.example/")
		whole := newHostless(newOwnBase(u))
		io.WriteString(whole, text)
		want, n := whole.sum()
		pieces := newHostless(newOwnBase(u))
		for rest := text; rest != ""; {
			k := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			io.WriteString(pieces, rest[:k])
			rest = rest[k:]
		}
		if got, m := pieces.sum(); got != want || m != n {
			t.Fatalf("in pieces: got %s, %d, want %s, %d", got, m, want, n)
		}
		single := newHostless(newOwnBase(u))
		io.Copy(single, iotest.OneByteReader(strings.NewReader(text)))
		if got, m := single.sum(); got != want || m != n {
			t.Fatalf("byte by byte: got %s, %d, want %s, %d", got, m, want, n)
		}
	})
}
