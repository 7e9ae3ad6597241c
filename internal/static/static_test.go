package static

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// write makes a folder with the files and returns its path.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ask sends a request whose target goes on the wire as it is written.
func ask(t *testing.T, h http.Handler, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var oddNames = map[string]string{
	"/a%20b/c%23d.html":                     "a b/c#d.html",
	"/what%3F.html":                         "what?.html",
	"/a+b.html":                             "a+b.html",
	"/a%2Bc.html":                           "a+c.html",
	"/lit%252b.html":                        "lit%2b.html",
	"/lit%25255C.html":                      "lit%255C.html",
	"/25%25%20In.html":                      "25% In.html",
	"/%E4%BD%A0%E5%A5%BD.html":              "你好.html",
	"/operator%25.html":                     "operator%.html",
	"/-dash.html":                           "-dash.html",
	"/a:b.html":                             "a:b.html",
	"/.well-known/mirror.json":              ".well-known/mirror.json",
	"/x" + strings.Repeat("y", 200) + "z":   "x" + strings.Repeat("y", 200) + "z",
	"/%E6%97%A5/":                           "日/index.html",
	"/cafe%CC%81.html":                      "cafe\u0301.html",
	"/index.html":                           "index.html",
	"/":                                     "index.html",
	"/sub/.mirror/kept":                     "sub/.mirror/kept",
	"/back%5Cslash.html":                    `back\slash.html`,
	"/semi;colon.html?query=/index.html#no": "semi;colon.html",
}

func TestNames(t *testing.T) {
	files := map[string]string{}
	for _, name := range oddNames {
		files[name] = "content of " + name
	}
	h := New(Dir(write(t, files)), Options{})
	for target, name := range oddNames {
		res := ask(t, h, "GET", strings.TrimSuffix(target, "#no"))
		if got := body(t, res); res.StatusCode != 200 || got != files[name] {
			t.Errorf("GET %s = %d %q, want the file %s", target, res.StatusCode, got, name)
		}
	}
}

func TestNotServed(t *testing.T) {
	dir := write(t, map[string]string{
		"site/index.html": "home", "site/404.html": "<p>gone", "site/.mirror/live.json": "{}",
		"site/plain/file.txt": "x", "secret.txt": "secret",
	})
	for link, to := range map[string]string{"out": "../secret.txt", "up": "..", "loop": "loop", "in.txt": "plain/file.txt"} {
		if err := os.Symlink(to, filepath.Join(dir, "site", link)); err != nil {
			t.Fatal(err)
		}
	}
	h := New(Dir(filepath.Join(dir, "site")), Options{})
	for _, target := range []string{
		"/missing", "/.mirror/live.json", "/.mirror/", "/out", "/up/secret.txt", "/loop", "/plain", "/plain/", "/index.html/",
		"/../secret.txt", "/%2e%2e/secret.txt", "/plain/../../secret.txt", "//index.html", "/plain//file.txt", "/./index.html",
		"/%00", "/%ff", "/" + strings.Repeat("n", 5000),
	} {
		res := ask(t, h, "GET", target)
		if got := body(t, res); res.StatusCode != 404 || got != "<p>gone" {
			t.Errorf("GET %.60s = %d %q, want 404 and the not-found page", target, res.StatusCode, got)
		}
		if got := res.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("GET %.60s has Content-Type %q", target, got)
		}
	}
	if got := body(t, ask(t, h, "GET", "/in.txt")); got != "x" {
		t.Errorf("a link inside the site gives %q, want x", got)
	}
}

func TestFolderRedirect(t *testing.T) {
	h := New(Dir(write(t, map[string]string{"a/b c/index.html": "x", "n:1/index.html": "y", "about": "file", "about2/index.html": "z"})), Options{})
	for target, want := range map[string]string{
		"/a/b%20c": "./b%20c/", "/n:1": "./n:1/", "/about2?q=1&r=%2f": "./about2/?q=1&r=%2f",
	} {
		res := ask(t, h, "GET", target, "Host", "secret.internal")
		if got := res.Header.Get("Location"); res.StatusCode != 301 || got != want {
			t.Errorf("GET %s = %d to %q, want 301 to %q", target, res.StatusCode, got, want)
		}
		asked, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		if to, err := asked.Parse(res.Header.Get("Location")); err != nil || to.Path != asked.Path+"/" {
			t.Errorf("GET %s leads to %v, %v", target, to, err)
		}
	}
	if got := body(t, ask(t, h, "GET", "/about")); got != "file" {
		t.Errorf("GET /about = %q, want the file of that name", got)
	}
}

func TestCleanURLs(t *testing.T) {
	dir := Dir(write(t, map[string]string{"about.html": "about", "x.html": "file", "x/index.html": "folder"}))
	clean, plain := New(dir, Options{CleanURLs: true}), New(dir, Options{})
	for target, want := range map[string]string{"/about": "about", "/about.html": "about", "/x": "file", "/x/": "folder"} {
		if got := body(t, ask(t, clean, "GET", target)); got != want {
			t.Errorf("GET %s = %q, want %q", target, got, want)
		}
	}
	if got := ask(t, plain, "GET", "/about").StatusCode; got != 404 {
		t.Errorf("GET /about without clean URLs = %d, want 404", got)
	}
}

func TestConditionsAndRanges(t *testing.T) {
	for _, size := range []int{11, small + 11} {
		content := strings.Repeat("0123456789", size/10+1)[:size]
		h := New(Dir(write(t, map[string]string{"f.txt": content})), Options{})
		sum := sha256.Sum256([]byte(content))
		tag := `"` + hex.EncodeToString(sum[:]) + `"`
		res := ask(t, h, "GET", "/f.txt")
		if got := res.Header.Get("Etag"); got != tag || body(t, res) != content {
			t.Errorf("ETag %s, want %s, the content's SHA-256", got, tag)
		}
		if got := ask(t, h, "GET", "/f.txt", "If-None-Match", tag).StatusCode; got != 304 {
			t.Errorf("If-None-Match gives %d, want 304", got)
		}
		if got := ask(t, h, "GET", "/f.txt", "If-None-Match", `"else"`).StatusCode; got != 200 {
			t.Errorf("If-None-Match with another tag gives %d, want 200", got)
		}
		res = ask(t, h, "GET", "/f.txt", "Range", "bytes=3-5")
		if got := body(t, res); res.StatusCode != 206 || got != "345" {
			t.Errorf("range = %d %q, want 206 345", res.StatusCode, got)
		}
		res = ask(t, h, "HEAD", "/f.txt")
		if got := body(t, res); got != "" || res.ContentLength != int64(size) {
			t.Errorf("HEAD = %q, length %d; want nothing, %d", got, res.ContentLength, size)
		}
	}
}

func TestMethods(t *testing.T) {
	h := New(fstest.MapFS{"index.html": {Data: []byte("x")}}, Options{})
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"} {
		res := ask(t, h, method, "/")
		if res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s = %d, Allow %q", method, res.StatusCode, res.Header.Get("Allow"))
		}
	}
	if got := ask(t, h, "HEAD", "/nothing"); got.StatusCode != 404 || body(t, got) != "" {
		t.Errorf("HEAD of a missing page = %d", got.StatusCode)
	}
}

func TestContentType(t *testing.T) {
	site := fstest.MapFS{"s.css": {Data: []byte("a{}")}, "page": {Data: []byte("<!doctype html>")}, "f.woff2": {Data: []byte("wOF2")}}
	own := func(name string, head []byte) string {
		if name == "f.woff2" && string(head) == "wOF2" {
			return "font/woff2"
		}
		return ""
	}
	h := New(site, Options{ContentType: own})
	for target, want := range map[string]string{"/s.css": "text/css; charset=utf-8", "/page": "text/html; charset=utf-8", "/f.woff2": "font/woff2"} {
		res := ask(t, h, "GET", target)
		if got := res.Header.Get("Content-Type"); got != want {
			t.Errorf("GET %s has type %q, want %q", target, got, want)
		}
		if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("GET %s has X-Content-Type-Options %q", target, got)
		}
	}
}

// A same-size edit that keeps the time, as `touch -r` and unpacked archives do, must not
// keep the ETag; nor must a release that is switched by a symlink.
func TestEtagFollowsTheBytes(t *testing.T) {
	old, long := time.Now().Add(-time.Hour), strings.Repeat("x", small+1)
	dir := write(t, map[string]string{"r1/f": long + "1", "r2/f": long + "2", "r1/s": "1", "r2/s": "2"})
	for _, f := range []string{"r1/f", "r2/f", "r1/s", "r2/s"} {
		if err := os.Chtimes(filepath.Join(dir, f), old, old); err != nil {
			t.Fatal(err)
		}
	}
	current := filepath.Join(dir, "current")
	h := New(Dir(current), Options{})
	seen := map[string]bool{}
	for _, release := range []string{"r1", "r2"} {
		_ = os.Remove(current) // there is none the first time
		if err := os.Symlink(release, current); err != nil {
			t.Fatal(err)
		}
		for _, f := range []string{"/f", "/s", "/f"} {
			res := ask(t, h, "GET", f)
			if got := body(t, res); !strings.HasSuffix(got, release[1:]) {
				t.Errorf("%s: GET %s ends in %q", release, f, got[len(got)-1:])
			}
			seen[res.Header.Get("Etag")] = true
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d ETags for 4 contents", len(seen))
	}
}

func TestUnreadableIsNotMissing(t *testing.T) {
	site := fstest.MapFS{"404.html": {Data: []byte("gone")}}
	h := New(brokenFS{site}, Options{})
	if got := ask(t, h, "GET", "/broken").StatusCode; got != 500 {
		t.Errorf("a file that cannot be read gives %d, want 500", got)
	}
}

// brokenFS fails as a bad disk does.
type brokenFS struct{ fs.FS }

func (b brokenFS) Open(name string) (fs.File, error) {
	if name == "broken" {
		return brokenFile(b), nil
	}
	return b.FS.Open(name)
}

type brokenFile struct{ fs.FS }

func (brokenFile) Stat() (fs.FileInfo, error) { return treeInfo{"broken", 9}, nil }
func (brokenFile) Read([]byte) (int, error)   { return 0, io.ErrUnexpectedEOF }
func (brokenFile) Close() error               { return nil }

// TestABodyEndsTheConnection sends a request with a body, which may be another request to a proxy before the server.
func TestABodyEndsTheConnection(t *testing.T) {
	h := New(fstest.MapFS{"index.html": {Data: []byte("home")}}, Options{})
	for body, want := range map[string]string{"": "", "GET /about/ HTTP/1.1\r\n": "close"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, "/", strings.NewReader(body)))
			if got := w.Header().Get("Connection"); got != want {
				t.Errorf("%s with a body of %d bytes: Connection is %q, want %q", method, len(body), got, want)
			}
		}
	}
}
