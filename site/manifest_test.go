package site_test

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"mirror/site"
)

func TestManifestRoundTrip(t *testing.T) {
	m := site.Manifest{{Path: "a\\b\nc\rd"}, {Path: "index.html", Digest: sha256.Sum256([]byte("x"))}, {Path: "文章/ 1.html"}}
	m[0].Digest, m[2].Digest = sha256.Sum256([]byte("y")), sha256.Sum256(nil)
	m.Sort()
	var text bytes.Buffer
	if _, err := m.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	got, err := site.ReadManifest(&text)
	if err != nil || !slices.Equal(got, m) {
		t.Errorf("got %v, %v; want %v", got, err, m)
	}
}

func TestReadManifestRefuses(t *testing.T) {
	sum := strings.Repeat("0", 64)
	for name, text := range map[string]string{
		"no digest": "index.html\n", "short digest": "00  index.html\n", "no path": sum + "  \n", "one space": sum + " x\n",
		"out of order": sum + "  b\n" + sum + "  a\n", "twice": sum + "  a\n" + sum + "  a\n", "no hex": strings.Repeat("x", 64) + "  a\n",
		"endless line": sum + "  " + strings.Repeat("a", 1<<20),
	} {
		if m, err := site.ReadManifest(strings.NewReader(text)); err == nil {
			t.Errorf("%s: got %v, want an error", name, m)
		}
	}
}

func FuzzReadManifest(f *testing.F) {
	f.Add(strings.Repeat("a", 64) + "  index.html\n\\" + strings.Repeat("b", 64) + "  new\\nline\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := site.ReadManifest(strings.NewReader(text))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if _, err := m.WriteTo(&again); err != nil {
			t.Fatal(err)
		}
		if back, err := site.ReadManifest(&again); err != nil || !slices.Equal(back, m) {
			t.Errorf("got %v, %v; want %v", back, err, m)
		}
	})
}

func TestURLPath(t *testing.T) {
	plain, clean, noIndex := site.URLStyle{}, site.URLStyle{CleanURLs: true}, site.URLStyle{NoIndex: true}
	for _, c := range []struct {
		style      site.URLStyle
		path, want string
	}{
		{plain, "index.html", ""}, {plain, "a/index.html", "a/"}, {plain, "a.html", "a.html"}, {plain, "myindex.html", "myindex.html"},
		{plain, "with space#?%+&.html", "with%20space%23%3F%25%2B%26.html"}, {plain, "%2b.html", "%252b.html"},
		{plain, "文/index.html", "%E6%96%87/"}, {plain, ".well-known/x~_-", ".well-known/x~_-"}, {plain, "a:b/c", "a%3Ab/c"},
		{clean, "about.html", "about"}, {clean, "a/index.html", "a/"}, {clean, "x.css", "x.css"},
		{noIndex, "a/index.html", "a/index.html"}, {noIndex, "index.html", "index.html"},
	} {
		if got := c.style.URLPath(c.path); got != c.want {
			t.Errorf("%+v.URLPath(%q): got %q, want %q", c.style, c.path, got, c.want)
		}
	}
}

func TestContentType(t *testing.T) {
	for _, c := range []struct{ path, head, want string }{
		{"a.html", "", "text/html; charset=utf-8"}, {"A.HTML", "", "text/html; charset=utf-8"}, {"x.mjs", "", "text/javascript; charset=utf-8"},
		{"f.woff2", "", "font/woff2"}, {"i.webp", "", "image/webp"}, {"m.wasm", "", "application/wasm"},
		{"about", "\ufeff \n<!DOCTYPE html><p>", "text/html; charset=utf-8"}, {"about", "<html lang=de>", "text/html; charset=utf-8"},
		{"CNAME", "example.com\n", "application/octet-stream"}, {"v1.2/about", "<!doctype html>", "text/html; charset=utf-8"},
		{"x/.html", "", "application/octet-stream"}, {"...html", "", "application/octet-stream"}, {".x.css", "", "text/css; charset=utf-8"},
		{"x.unknown", "<!doctype html>", "application/octet-stream"},
	} {
		if got := site.ContentType(c.path, []byte(c.head)); got != c.want {
			t.Errorf("ContentType(%q, %q): got %q, want %q", c.path, c.head, got, c.want)
		}
	}
}
