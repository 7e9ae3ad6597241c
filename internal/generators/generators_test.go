package generators

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestDetect holds Detect to the projects under testdata: each archive is one, and says above its files what is found.
func TestDetect(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) < 80 {
		t.Fatalf("found %d projects, %v", len(archives), err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			project := fstest.MapFS{}
			for _, f := range archive.Files {
				project[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			want := map[string]string{}
			for line := range strings.Lines(string(archive.Comment)) {
				key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
				want[key] = strings.TrimSpace(value)
			}
			s := Detect(project)
			got := map[string]string{"generator": s.Generator, "dir": s.Dir, "build": s.Build, "unknown": s.Unknown, "url": s.URL, "cname": s.CNAME,
				"deploy": strings.TrimSpace(s.Deploy.Repository + " " + s.Deploy.Branch)}
			if want["source"] != "" {
				got["source"] = s.Source
			}
			for key := range got {
				if got[key] != want[key] {
					t.Errorf("%s: got %q, want %q", key, got[key], want[key])
				}
			}
		})
	}
}

// TestDetectInAFolder reads a project from the disk, in which a config is a folder and another leads nowhere.
func TestDetectInAFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "hugo.toml"), 0o755); err != nil {
		t.Fatal(err)
	}
	_ = os.Symlink("nowhere", filepath.Join(dir, "package.json")) // where the system has links
	if got := Detect(os.DirFS(dir)); got.Generator != "hugo" || got.Dir != "public" {
		t.Errorf("got %+v", got)
	}
}

// FuzzDetect has no config that makes Detect panic, loop, or name the project's own folder.
func FuzzDetect(f *testing.F) {
	for _, seed := range []string{"", "export default { build: { outDir: 'x' } }", "a = `${`", "{{{[[[(((", "x: /[/", "\\", "'", "const a: b = 'c", "build: {outDir: '..'}",
		"[build]\nbuild-dir = \"a\\", "a: &x [*x]", "OUTPUT_PATH = '\\'", "module.exports = {root: '', build: {outDir: '\\u00'}}", "return\n/x/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := &fstest.MapFile{Data: []byte(text)}
		for _, names := range [][]string{{"vite.config.ts", "package.json"}, {"hugo.toml", "Makefile"}, {"mkdocs.yml"}, {"pelicanconf.py"}, {"docs/conf.py", "docs/Makefile"}, {"book.toml"},
			{"eleventy.config.js", ".env"}} {
			project := fstest.MapFS{".git/HEAD": {}}
			for _, name := range names {
				project[name] = file
			}
			if s := Detect(project); s.Dir == "." || s.Dir == "" && s.Unknown == "" {
				t.Errorf("%s: got %+v", names, s)
			}
		}
	})
}
