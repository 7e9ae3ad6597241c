package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"mirror/internal/lab"
	"mirror/internal/publish"
	"mirror/internal/secrets"
	"mirror/internal/workspace"
	"mirror/site"
	"mirror/targets/kinds"
)

// trial is a lab and a small site, published by the program's own wiring in this process,
// so that the clock that the bounds are read from is also the truth's.
type trial struct {
	t     testing.TB
	lab   *lab.Lab
	app   *app
	site  string
	files map[string]string
}

// newTrial starts a lab. The origins named are declared cdn.
func newTrial(t testing.TB, cdn ...string) *trial {
	t.Helper()
	l, err := lab.Start(t.Context(), lab.Options{ContentType: site.ContentType})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	r := &trial{t: t, lab: l, site: filepath.Join(dir, "public")}
	text := strings.Replace(string(l.Config(r.site)), "base: self", baseOf(t, l), 1)
	for _, o := range l.Origins() {
		if slices.Contains(cdn, o.Name) {
			text = strings.Replace(text, fmt.Sprintf("{url: %q}", o.URL), fmt.Sprintf("{url: %q, cdn: true}", o.URL), 1)
		}
	}
	file := filepath.Join(dir, "mirror.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	a := &app{kinds: kinds.All(), getenv: func(string) string { return "" }, stdout: io.Discard, stderr: io.Discard, quiet: true, secrets: secrets.New()}
	r.app = a.inLab(l, file)
	return r
}

// baseOf pushes an image without content to the lab, and returns the config that has it
// serve the site. The usual one holds this whole program, which the lab's runtime would
// unpack at each publish.
func baseOf(t testing.TB, l *lab.Lab) string {
	t.Helper()
	host, _, _ := strings.Cut(l.Registry.Image, "/")
	ref, err := name.ParseReference(host + "/base:latest")
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, RootFS: v1.RootFS{Type: "layers"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("base: %s\n    web_root: /site\n    platforms: [linux/%s]", ref, runtime.GOARCH)
}

// configure changes the config's text.
func (r *trial) configure(old, text string) {
	r.t.Helper()
	config, err := os.ReadFile(r.app.configFile)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(r.app.configFile, []byte(strings.Replace(string(config), old, text, 1)), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// write makes the site's folder hold exactly the files.
func (r *trial) write(files map[string]string) {
	r.t.Helper()
	for path := range r.files {
		if _, ok := files[path]; !ok {
			if err := os.Remove(filepath.Join(r.site, path)); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	for path, text := range files {
		file := filepath.Join(r.site, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			r.t.Fatal(err)
		}
	}
	r.files = maps.Clone(files)
}

// publish does what `mirror publish` does, and keeps publish's own report.
func (r *trial) publish(order publish.Mode) *publish.Report {
	r.t.Helper()
	var report *publish.Report
	err := r.app.inWorkspace(func(w *workspace.Workspace) (err error) {
		w.Config.Publish.Order.Mode = string(order)
		report, err = w.Publish(r.t.Context(), workspace.PublishOptions{VerifyTimeout: 3 * time.Minute})
		return err
	})
	if err != nil || report.Outcome != publish.Live || len(report.Warnings) > 0 {
		r.t.Fatalf("got %+v, %v", report, err)
	}
	return report
}
