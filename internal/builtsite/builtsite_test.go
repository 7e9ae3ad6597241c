package builtsite_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/zstd"

	"mirror/internal/builtsite"
	"mirror/site"
)

// entry is one entry of an archive; a kind of 0 is a file.
type entry struct {
	name, text string
	kind       byte
	link       string
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Size: int64(len(e.text)), Mode: 0o644}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, e.text)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.kind == tar.TypeSymlink {
			h.SetMode(fs.ModeSymlink | 0o777)
			e.text = e.link
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, e.text)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipOf(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(text)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstdOf(t testing.TB, text []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll(text, nil)
}

func put(t testing.TB, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// texts are the files of a small site.
func texts() map[string]string {
	return map[string]string{"index.html": "home", "about/index.html": "about", "404.html": "no such page", "css/a b+#.css": "a{}", "文章.html": "文", ".nojekyll": ""}
}

func entries() (all []entry) {
	for _, name := range slices.Sorted(maps.Keys(texts())) {
		all = append(all, entry{name: name, text: texts()[name]})
	}
	return all
}

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts() {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, source string, o builtsite.Options) *builtsite.Site {
	t.Helper()
	s, err := builtsite.Open(t.Context(), source, o)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestAllFormsAreOneRelease has the same site as a folder, in archives and in images.
func TestAllFormsAreOneRelease(t *testing.T) {
	dir := folder(t)
	want := open(t, dir, builtsite.Options{}).ID()
	below := func(prefix string) (all []entry) {
		for _, e := range entries() {
			all = append(all, entry{name: prefix + e.name, text: e.text})
		}
		return all
	}
	dotted := append([]entry{{name: "./", kind: tar.TypeDir}, {name: "./about/", kind: tar.TypeDir}}, below("./")...)
	plain := tarOf(t, entries()...)
	for name, text := range map[string][]byte{
		"a.tar": plain, "a.tar.gz": gzipOf(t, plain), "a.tgz": gzipOf(t, plain), "a.tar.zst": zstdOf(t, plain), "a.zip": zipOf(t, entries()...),
		"dots.tar": tarOf(t, dotted...), "no-name-of-its-kind": gzipOf(t, plain), "top.zip": zipOf(t, below("public/")...), "top.tar": tarOf(t, below("public/")...),
		"mac.zip":    zipOf(t, append(below("public/"), entry{name: "__MACOSX/public/._index.html", text: "x"}, entry{name: "public/.DS_Store", text: "x"})...),
		"beacon.tar": tarOf(t, append(below(""), entry{name: site.DefaultBeacon, text: "{}"}, entry{name: ".git/HEAD", text: "x"})...),
	} {
		s := open(t, put(t, name, text), builtsite.Options{})
		if s.ID() != want || len(s.Manifest) != len(texts()) {
			t.Errorf("%s: got %v", name, s.Manifest)
		}
		for _, f := range s.Manifest {
			if got, err := s.ReadFile(f); err != nil || string(got) != texts()[f.Path] {
				t.Errorf("%s: %s: got %q, %v", name, f.Path, got, err)
			}
		}
	}
}

// TestImages has the site in images, as web servers and mirror make them.
func TestImages(t *testing.T) {
	want := open(t, folder(t), builtsite.Options{}).ID()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	for root, label := range map[string]string{"usr/share/nginx/html": "", "usr/local/apache2/htdocs": "", "site": "", "opt/web": "/opt/web"} {
		var below []entry
		for _, e := range entries() {
			below = append(below, entry{name: root + "/" + e.name, text: e.text})
		}
		img := imageOf(t, label, tarOf(t, append(below, entry{name: "etc/index.html", text: "x"}, entry{name: root + "/old.html", text: "x"})...),
			tarOf(t, entry{name: root + "/.wh.old.html"}))
		ref, err := name.ParseReference(host + "/" + strings.ReplaceAll(root, "/", "-") + ":latest")
		if err != nil {
			t.Fatal(err)
		}
		dir, file := t.TempDir(), filepath.Join(t.TempDir(), "saved.tar")
		index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img})
		_, err = layout.Write(dir, index)
		if err := errors.Join(err, remote.Write(ref, img), tarball.WriteToFile(file, ref, img)); err != nil {
			t.Fatal(err)
		}
		for _, source := range []string{ref.String(), dir, file, tarOfFolder(t, dir)} {
			s := open(t, "oci:"+source, builtsite.Options{})
			if s.ID() != want || !strings.Contains(s.From, "its folder /"+root) {
				t.Errorf("%s: got %v from %s", source, s.Manifest, s.From)
			}
		}
		if s := open(t, "oci:"+dir, builtsite.Options{WebRoot: "/etc"}); len(s.Manifest) != 1 {
			t.Errorf("--web-root: got %v", s.Manifest)
		}
	}
	for source, want := range map[string]string{"oci:" + host + "/none:latest": "none", "oci:Not A Reference": "is no site", "oci:" + t.TempDir(): "is no OCI layout", "oci:" + put(t, "a.tar", tarOf(t, entries()...)): "nor the tar of an OCI layout"} {
		if _, err := builtsite.Open(t.Context(), source, builtsite.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", source, err)
		}
	}
}

// tarOfFolder packs a folder.
func tarOfFolder(t *testing.T, dir string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close()); err != nil {
		t.Fatal(err)
	}
	return put(t, "layout.tar", b.Bytes())
}

func imageOf(t *testing.T, label string, layers ...[]byte) v1.Image {
	t.Helper()
	img := empty.Image
	for _, text := range layers {
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil })
		if err != nil {
			t.Fatal(err)
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			t.Fatal(err)
		}
	}
	if label == "" {
		return img
	}
	img, err := mutate.Config(img, v1.Config{Labels: map[string]string{"mirror.web_root": label}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestLinks has links as packers write them.
func TestLinks(t *testing.T) {
	text := tarOf(t, entry{name: "index.html", text: "home"}, entry{name: "v1/a.html", text: "a"}, entry{name: "v1/deep/b.html", text: "b"},
		entry{name: "latest", kind: tar.TypeSymlink, link: "v1"}, entry{name: "v1/deep/up.html", kind: tar.TypeSymlink, link: "../a.html"},
		entry{name: "newest", kind: tar.TypeSymlink, link: "./latest"}, entry{name: "hard.html", kind: tar.TypeLink, link: "./v1/a.html"})
	s := open(t, put(t, "a.tar", text), builtsite.Options{})
	var got []string
	for _, f := range s.Manifest {
		content, err := s.ReadFile(f)
		if err != nil {
			t.Error(err)
		}
		got = append(got, f.Path+"="+string(content))
	}
	want := "hard.html=a index.html=home latest/a.html=a latest/deep/b.html=b newest/a.html=a newest/deep/b.html=b v1/a.html=a v1/deep/b.html=b v1/deep/up.html=a"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	zipped := open(t, put(t, "a.zip", zipOf(t, entry{name: "a.html", text: "a"}, entry{name: "b.html", kind: tar.TypeSymlink, link: "a.html"})), builtsite.Options{})
	if len(zipped.Manifest) != 2 || zipped.Manifest[0].Digest != zipped.Manifest[1].Digest {
		t.Errorf("zip: got %v", zipped.Manifest)
	}
}

// TestHostileArchives are refused, each with what is wrong.
func TestHostileArchives(t *testing.T) {
	home := entry{name: "index.html", text: "home"}
	for _, c := range []struct {
		name string
		text []byte
		want string
	}{
		{"a name that leads out", tarOf(t, home, entry{name: "../x", text: "x"}), `"../x": the name leads out of the archive`},
		{"a name that leads out further down", tarOf(t, home, entry{name: "a/../../x", text: "x"}), "leads out"},
		{"an absolute name", tarOf(t, home, entry{name: "/etc/passwd", text: "x"}), "begins with a slash"},
		{"zip-slip", zipOf(t, home, entry{name: "../../x", text: "x"}), "leads out"},
		{"an absolute name in a zip", zipOf(t, home, entry{name: "/x", text: "x"}), "begins with a slash"},
		{"backslashes", zipOf(t, home, entry{name: `..\x`, text: "x"}), "backslashes"},
		{"no UTF-8", tarOf(t, home, entry{name: "\xff\xfe", text: "x"}), "not a valid path in UTF-8"},
		{"twice", tarOf(t, home, home), "two entries of this name"},
		{"twice in a zip", zipOf(t, home, home), "two entries of this name"},
		{"twice, once as a link", tarOf(t, home, entry{name: "index.html", kind: tar.TypeSymlink, link: "x"}), "two entries of this name"},
		{"a file and a folder", tarOf(t, home, entry{name: "index.html/x", text: "x"}), `it is in "index.html", which is a file`},
		{"behind a link", tarOf(t, home, entry{name: "d/f", text: "f"}, entry{name: "l", kind: tar.TypeSymlink, link: "d"}, entry{name: "l/x", text: "x"}), `it is behind "l", which is a link`},
		{"an absolute link", tarOf(t, home, entry{name: "l", kind: tar.TypeSymlink, link: "/etc/passwd"}), "a symlink that leaves the site"},
		{"a link that leads out", tarOf(t, home, entry{name: "d/l", kind: tar.TypeSymlink, link: "../../x"}), "a symlink that leaves the site"},
		{"a link out in a zip", zipOf(t, home, entry{name: "l", kind: tar.TypeSymlink, link: "../x"}), "a symlink that leaves the site"},
		{"a link to nothing", tarOf(t, home, entry{name: "l", kind: tar.TypeSymlink, link: "none"}), "a symlink to nothing"},
		{"a link to itself", tarOf(t, home, entry{name: "l", kind: tar.TypeSymlink, link: "l"}), "loops"},
		{"a link to what is above", tarOf(t, home, entry{name: "d/l", kind: tar.TypeSymlink, link: ".."}), "loops"},
		{"a hard link out", tarOf(t, home, entry{name: "l", kind: tar.TypeLink, link: "/etc/passwd"}), "slash"},
		{"a hard link to nothing", tarOf(t, home, entry{name: "l", kind: tar.TypeLink, link: "none"}), "a hard link to"},
		{"a pipe", tarOf(t, home, entry{name: "p", kind: tar.TypeFifo}), "special file"},
		{"a device", tarOf(t, home, entry{name: "p", kind: tar.TypeBlock}), "special file"},
		{"cut short", gzipOf(t, tarOf(t, entries()...))[:150], "unexpected EOF"},
		{"cut short, plain", tarOf(t, entries()...)[:1200], "EOF"},
		{"an empty archive", tarOf(t), "the site has no files"},
		{"an empty zip", zipOf(t), "the site has no files"},
		{"a page", []byte("<!doctype html><p>404" + strings.Repeat(" ", 300)), "no archive that can be read"},
		{"an empty file", nil, "no archive that can be read"},
		{"a packed page", gzipOf(t, bytes.Repeat([]byte("<p>"), 1000)), "tar: "},
		{"a bomb of gzip", gzipOf(t, tarOf(t, home, entry{name: "big", text: strings.Repeat("\x00", 1<<20)})), "decompression bomb"},
		{"a bomb of zstd", zstdOf(t, tarOf(t, home, entry{name: "big", text: strings.Repeat("\x00", 1<<20)})), "decompression bomb"},
		{"a bomb in a zip", zipOf(t, home, entry{name: "big", text: strings.Repeat("\x00", 1<<20)}), "decompression bomb"},
		{"a bomb of headers", gzipOf(t, tarOf(t, slices.Repeat([]entry{{name: "d/", kind: tar.TypeDir}}, 9_000)...)), "decompression bomb"},
		{"many entries", tarOf(t, slices.Repeat([]entry{{name: "d/", kind: tar.TypeDir}}, 10_001)...), "more than 10000 entries"},
		{"many bytes", tarOf(t, home, entry{name: "big", text: strings.Repeat("x", 3<<20)}), "more than 2097152 bytes"},
	} {
		limits := builtsite.Limits{Bytes: 2 << 20, Files: 10_000, Free: 128 << 10, Ratio: 50}
		s, err := builtsite.Open(t.Context(), put(t, "site.x", c.text), builtsite.Options{Limits: limits})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "site.x: ") {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// TestSparseFilesAreBounded has an entry of which the archive holds nothing and that reads as 8 MiB of
// zeros (GNU tar's old format).
func TestSparseFilesAreBounded(t *testing.T) {
	h := make([]byte, 512)
	for at, text := range map[int]string{
		0: "index.html", 100: "0000644", 124: "00000000000", 136: "00000000000", 148: "        ", 156: "S", 257: "ustar  ",
		386: "00040000000", 398: "00000000000", 483: "00040000000",
	} {
		copy(h[at:], text)
	}
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	text := append(h, make([]byte, 1024)...)
	for limit, want := range map[int64]string{1 << 20: "decompression bomb", 16 << 20: ""} {
		s, err := builtsite.Open(t.Context(), put(t, "a.tar", text), builtsite.Options{Limits: builtsite.Limits{Free: limit}})
		if want == "" && (err != nil || s.Manifest[0].Size != 8<<20) || want != "" && !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%d bytes free: got %v, want %q", limit, err, want)
		}
		if err == nil {
			s.Close()
		}
	}
}

// TestNoSite is what cannot be meant.
func TestNoSite(t *testing.T) {
	for _, source := range []string{"", filepath.Join(t.TempDir(), "none"), os.DevNull} {
		if _, err := builtsite.Open(t.Context(), source, builtsite.Options{}); !errors.Is(err, builtsite.ErrNoSite) {
			t.Errorf("%q: got %v", source, err)
		}
	}
	if _, err := builtsite.Open(t.Context(), t.TempDir(), builtsite.Options{}); !errors.Is(err, site.ErrEmpty) {
		t.Errorf("an empty folder: got %v", err)
	}
}

// TestOpenEndsWithItsContext is cancelled while it reads.
func TestOpenEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, text := range map[string][]byte{"a.tar": tarOf(t, entries()...), "a.zip": zipOf(t, entries()...)} {
		if _, err := builtsite.Open(ctx, put(t, name, text), builtsite.Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestMemoryDoesNotGrowWithFiles opens archives with files far larger than what may be allocated.
func TestMemoryDoesNotGrowWithFiles(t *testing.T) {
	const size, most = 48 << 20, 16 << 20
	random := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{1}).Read(random)
	packed := map[string]func(w io.Writer) error{
		"a.tar": func(w io.Writer) error {
			z := tar.NewWriter(w)
			z.WriteHeader(&tar.Header{Name: "index.html", Size: size, Mode: 0o644})
			for range size / len(random) {
				z.Write(random)
			}
			return z.Close()
		},
		"a.zip": func(w io.Writer) error {
			z := zip.NewWriter(w)
			f, err := z.CreateHeader(&zip.FileHeader{Name: "index.html", Method: zip.Store})
			for range size / len(random) {
				f.Write(random)
			}
			return errors.Join(err, z.Close())
		},
	}
	for name, pack := range packed {
		path := filepath.Join(t.TempDir(), name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(pack(f), f.Close()); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s := open(t, path, builtsite.Options{})
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > most || s.Manifest[0].Size != size {
			t.Errorf("%s: %d bytes were allocated for %d", name, grown, size)
		}
	}
}

// FuzzArchive opens whatever comes.
func FuzzArchive(f *testing.F) {
	f.Add(tarOf(f, entries()...))
	f.Add(zipOf(f, entries()...))
	f.Add(gzipOf(f, tarOf(f, entry{name: "a", text: "a"}, entry{name: "l", kind: tar.TypeSymlink, link: "a"})))
	f.Add(zstdOf(f, tarOf(f, entries()...)))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := builtsite.Open(t.Context(), put(t, "site.tar", text), builtsite.Options{Limits: builtsite.Limits{Bytes: 1 << 20, Files: 1000, Free: 1 << 20}})
		if err != nil {
			return
		}
		defer s.Close()
		for _, file := range s.Manifest {
			if !fs.ValidPath(file.Path) || strings.HasPrefix(file.Path, "../") {
				t.Errorf("got the path %q", file.Path)
			}
			if _, err := s.ReadFile(file); err != nil {
				t.Errorf("%s: %v", file.Path, err)
			}
		}
	})
}
