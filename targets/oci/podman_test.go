package oci

import (
	"archive/tar"
	"debug/elf"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"mirror/internal/longtest"
	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"
)

var pages = targettest.Files{
	"about/index.html": "about", "文章/你好 #1?.html": "你好", "css/site.css": "a{}", "index.html": "<h1>home</h1>", "empty.txt": "",
}

func TestPodmanRunsStatic(t *testing.T) {
	server := buildServer(t, "CGO_ENABLED=0")
	if interpreter(t, server) != "" {
		t.Fatal("the server is linked dynamically")
	}
	p := newPlace(t, realRegistry(t, realserver.Distribution))
	p.config.SelfBinary = server
	files := imagetest.Large(3 << 20) // several compressed blocks
	maps.Copy(files, pages)
	publish(t, p.open(t, targets.Env{State: t.TempDir()}), files)
	wantPages(t, realserver.Podman(t, p.config.Image), files)
}

func TestPodmanRunsDynamic(t *testing.T) {
	longtest.Skip(t, "runs a container")
	if _, err := exec.LookPath("gcc"); err != nil {
		realserver.Missing(t, "needs gcc to link a server dynamically")
	}
	server := buildServer(t, "CGO_ENABLED=1")
	if interpreter(t, server) == "" {
		t.Fatal("the server is linked statically")
	}
	p := newPlace(t, realRegistry(t, realserver.DockerRegistry))
	p.config.SelfBinary = server
	publish(t, p.open(t, targets.Env{}), pages)
	wantPages(t, realserver.Podman(t, p.config.Image), pages)
}

// TestPodmanRunsCustomBase serves a site on a base of somebody else's, whose web root has
// pages of its own.
func TestPodmanRunsCustomBase(t *testing.T) {
	longtest.Skip(t, "runs a container")
	addr := realRegistry(t, realserver.DockerRegistry)
	p := newPlace(t, addr)
	p.config.Base, p.config.WebRoot, p.config.Compression = addr+"/bases/web:1", "/srv/www", "zstd"
	pushRunnableBase(t, mustTag(t, p.config.Base), buildServer(t, "CGO_ENABLED=0"))
	files := imagetest.Large(3 << 20)
	maps.Copy(files, pages)
	before := maps.Clone(files)
	for p, text := range map[string]string{"about": "a file", "a.txt/b": "a folder", "a0": "other", "gone.html": "gone", "gone/a/b.html": "gone"} {
		before[p] = text
	}
	delete(before, "about/index.html")
	delete(before, "a.txt")
	publish(t, p.open(t, targets.Env{}), before)
	publish(t, p.open(t, targets.Env{}), files)
	if n := len(manifestOf(t, p.tag).Layers); n != 4 { // the base's, and a layer of each release
		t.Fatalf("the image has %d layers, want 4", n)
	}
	base := realserver.Podman(t, p.config.Image)
	wantPages(t, base, files)
	for _, gone := range []string{"welcome.html", "deep/er/page.html", "gone.html", "gone/a/b.html", "a.txt/b"} {
		resp, err := http.Get(base + gone)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("the base's own %s: got status %d, want 404", gone, resp.StatusCode)
		}
	}
}

func pushRunnableBase(t *testing.T, ref name.Reference, server string) {
	t.Helper()
	text, err := os.ReadFile(server)
	if err != nil {
		t.Fatal(err)
	}
	img := imagetest.Append(t, bareImage(), []imagetest.Entry{{Header: tar.Header{Name: "usr/bin/server"}, Text: text}})
	img = imagetest.Append(t, img, []imagetest.Entry{
		{Header: tar.Header{Name: "srv/www/welcome.html"}, Text: []byte("welcome")},
		{Header: tar.Header{Name: "srv/www/index.html"}, Text: []byte("theirs")},
		{Header: tar.Header{Name: "srv/www/deep/er/page.html"}, Text: []byte("theirs")},
	})
	cf, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	cf = cf.DeepCopy()
	cf.Config.Entrypoint = []string{"/usr/bin/server", "serve", "/srv/www"}
	cf.Config.Labels = map[string]string{"maintainer": "somebody"}
	if img, err = mutate.ConfigFile(img, cf); err != nil {
		t.Fatal(err)
	}
	pushImage(t, ref, img)
}

func buildServer(t *testing.T, env ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "mirror")
	cmd := exec.Command("go", "build", "-o", out, "./testdata/server")
	cmd.Env = append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	return out
}

func interpreter(t *testing.T, file string) string {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, prog := range f.Progs {
		if prog.Type == elf.PT_INTERP {
			text, err := io.ReadAll(prog.Open())
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
	return ""
}

// wantPages fetches each page over HTTP, and the beacon.
func wantPages(t *testing.T, base string, files targettest.Files) {
	t.Helper()
	for file, want := range files {
		if got := fetch(t, base, file); got != want {
			t.Errorf("GET %s: got %.40q (%d bytes), want %.40q (%d)", file, got, len(got), want, len(want))
		}
	}
	if got, id := fetch(t, base, site.DefaultBeacon), string(targettest.Release(files).ID()); !strings.Contains(got, id) {
		t.Errorf("beacon: got %q, want it to name %s", got, id)
	}
}

func fetch(t *testing.T, base, file string) string {
	t.Helper()
	if path.Base(file) == "index.html" {
		file = strings.TrimSuffix(file, "index.html")
	}
	segments := strings.Split(file, "/")
	for i := range segments {
		segments[i] = url.PathEscape(segments[i])
	}
	resp, err := http.Get(base + strings.Join(segments, "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", file, resp.Status, err)
	}
	return string(body)
}
