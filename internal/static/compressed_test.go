package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"mirror/internal/compression"
)

// compressedSite serves a small page, one that is not worth it, a large file and a picture.
func compressedSite(t *testing.T) (h http.Handler, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	files = map[string]string{
		"index.html": strings.Repeat("<p>all work and no play</p>\n", 100),
		"tiny.txt":   "tiny",
		"large.json": "[" + strings.Repeat(`{"title":"all work and no play"},`, 20_000) + "0]",
		"a.png":      strings.Repeat("\x89PNG", 100),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	codings, err := compression.Parse([]string{"gzip", "br", "zstd"})
	if err != nil {
		t.Fatal(err)
	}
	h, err = Folder(dir, Options{Compress: Compress{Codings: codings, Store: compression.NewStore("", 1<<20)}})
	if err != nil {
		t.Fatal(err)
	}
	return h, files
}

// askWith asks a handler with header fields: name, value, name, value.
func askWith(h http.Handler, method, path string, fields ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// decoded reads the body of an answer.
func decoded(t *testing.T, resp *http.Response) string {
	t.Helper()
	var r io.Reader = resp.Body
	var err error
	switch resp.Header.Get("Content-Encoding") {
	case "gzip":
		r, err = gzip.NewReader(resp.Body)
	case "br":
		r = brotli.NewReader(resp.Body)
	case "zstd":
		r, err = zstd.NewReader(resp.Body)
	}
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestVariants asks for each file with each coding: the decoded bytes are the file's, and each variant has an ETag of its own.
func TestVariants(t *testing.T) {
	h, files := compressedSite(t)
	for name, compressed := range map[string]bool{"index.html": true, "large.json": true, "tiny.txt": false, "a.png": false} {
		tags := map[string]string{}
		for _, accept := range []string{"", "gzip", "br", "zstd", "gzip, deflate, br, zstd"} {
			path := "/" + strings.TrimSuffix(name, "index.html")
			for range 2 { // the second answer is from memory
				resp := askWith(h, http.MethodGet, path, "Accept-Encoding", accept)
				got := resp.Header.Get("Content-Encoding")
				if resp.StatusCode != http.StatusOK || (got != "") != (compressed && accept != "") || got != "" && !strings.Contains(accept, got) {
					t.Errorf("%s with %q: got %d, %q", name, accept, resp.StatusCode, got)
				}
				if vary := resp.Header.Get("Vary"); (vary == "Accept-Encoding") != (name != "a.png") {
					t.Errorf("%s with %q: Vary is %q", name, accept, vary)
				}
				if decoded(t, resp) != files[name] {
					t.Errorf("%s with %q: other bytes", name, accept)
				}
				tag := resp.Header.Get("Etag")
				if known := tags[got]; known != "" && known != tag {
					t.Errorf("%s as %q has two tags", name, got)
				}
				tags[got] = tag
				length := resp.Header.Get("Content-Length")
				head := askWith(h, http.MethodHead, path, "Accept-Encoding", accept)
				if head.Header.Get("Etag") != tag || head.Header.Get("Content-Encoding") != got || head.Header.Get("Content-Length") != length {
					t.Errorf("%s with %q: HEAD has other fields: %v", name, accept, head.Header)
				}
				if again := askWith(h, http.MethodGet, path, "Accept-Encoding", accept, "If-None-Match", tag); again.StatusCode != http.StatusNotModified || again.Header.Get("Vary") != resp.Header.Get("Vary") {
					t.Errorf("%s with %q: got %d for its own tag", name, accept, again.StatusCode)
				}
			}
		}
		distinct := map[string]bool{}
		for _, tag := range tags {
			distinct[tag] = true
		}
		if len(distinct) != len(tags) || compressed && len(tags) != 4 {
			t.Errorf("%s: tags %v", name, tags)
		}
		if compressed { // the tag of one variant does not validate another
			if resp := askWith(h, http.MethodGet, "/"+strings.TrimSuffix(name, "index.html"), "Accept-Encoding", "br", "If-None-Match", tags[""]); resp.StatusCode != http.StatusOK {
				t.Errorf("%s: got %d for the tag of another variant", name, resp.StatusCode)
			}
		}
	}
}

// TestPartsAreOfTheFile asks for ranges: they are of the file itself, and If-Range goes by its tag.
func TestPartsAreOfTheFile(t *testing.T) {
	h, files := compressedSite(t)
	for _, name := range []string{"index.html", "large.json"} {
		path := "/" + strings.TrimSuffix(name, "index.html")
		plain := askWith(h, http.MethodGet, path).Header.Get("Etag")
		compressed := askWith(h, http.MethodGet, path, "Accept-Encoding", "br").Header.Get("Etag")
		resp := askWith(h, http.MethodGet, path, "Accept-Encoding", "br", "Range", "bytes=5-14", "If-Range", plain)
		if got := decoded(t, resp); resp.StatusCode != http.StatusPartialContent || got != files[name][5:15] || resp.Header.Get("Etag") != plain {
			t.Errorf("%s: got %d %q", name, resp.StatusCode, got)
		}
		resp = askWith(h, http.MethodGet, path, "Accept-Encoding", "br", "Range", "bytes=5-14", "If-Range", compressed)
		if got := decoded(t, resp); resp.StatusCode != http.StatusOK || got != files[name] {
			t.Errorf("%s: got %d for a part of a variant", name, resp.StatusCode)
		}
	}
}

// TestIdentityThatIsRefused gives a variant even where it saves nothing, and says where there is none.
func TestIdentityThatIsRefused(t *testing.T) {
	h, files := compressedSite(t)
	resp := askWith(h, http.MethodGet, "/tiny.txt", "Accept-Encoding", "identity;q=0, gzip")
	if got := decoded(t, resp); resp.Header.Get("Content-Encoding") != "gzip" || got != files["tiny.txt"] {
		t.Errorf("got %q as %q", got, resp.Header.Get("Content-Encoding"))
	}
	if resp := askWith(h, http.MethodGet, "/", "Accept-Encoding", "identity;q=0, compress"); resp.StatusCode != http.StatusNotAcceptable || resp.Header.Get("Vary") == "" {
		t.Errorf("got %d", resp.StatusCode)
	}
}

// TestVariantsFollowTheirFiles changes a file under its name.
func TestVariantsFollowTheirFiles(t *testing.T) {
	dir := t.TempDir()
	h, err := Folder(dir, Options{Compress: Compress{Codings: []compression.Coding{compression.Gzip}, Store: compression.NewStore("", 1<<20)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{100, 200, 100, 20_000, 30_000} {
		text := bytes.Repeat([]byte("all work and no play "), n)
		if err := os.WriteFile(filepath.Join(dir, "a.txt"), text, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := decoded(t, askWith(h, http.MethodGet, "/a.txt", "Accept-Encoding", "gzip")); got != string(text) {
			t.Errorf("got %d bytes, want %d", len(got), len(text))
		}
	}
}
