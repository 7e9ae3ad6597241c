package scaffold

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/config"
	"mirror/targets/kinds"
)

// folder writes files, and returns the folder that they are in.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// draft drafts a config for some files, with the answers of a person where there are any.
func draft(t *testing.T, files map[string]string, o Options, answers ...string) (Draft, string, error) {
	t.Helper()
	o.Folder = folder(t, files)
	var said strings.Builder
	if len(answers) > 0 {
		o.Prompt = NewPrompt(t.Context(), strings.NewReader(strings.Join(answers, "\n")+"\n"), &said)
	}
	d, err := New(o, kinds.All())
	return d, said.String(), err
}

func wants(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}

func TestDraftNeverPublishesTheProject(t *testing.T) {
	d, _, err := draft(t, map[string]string{"package.json": `{"devDependencies": {"vite": "6"}}`, "index.html": "x", ".env": "TOKEN=x", "dist/index.html": "x"}, Options{Kinds: []string{"dir"}})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, string(d.Text), "dir: ./dist\n")
	if said := d.Done("mirror.yaml", false); said != "wrote mirror.yaml for the vite site in dist; fill in the targets, then try: mirror plan" {
		t.Errorf("said %q", said)
	}
}

func TestDraftMarksWhatIsNotKnown(t *testing.T) {
	d, _, err := draft(t, map[string]string{"package.json": `{"devDependencies": {"vite": "6"}}`, "vite.config.ts": "export default { build: { outDir: path() } }\n"}, Options{Kinds: []string{"dir"}})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, string(d.Text), "# FILL IN: the folder with the generated site. vite.config.ts:1 sets the output folder with an expression, which is not evaluated: path()", "dir: ./FILL-IN-THE-OUTPUT-FOLDER\n")
	wants(t, strings.Join(d.Notes, "\n"), "hint: fill in site.dir, or give it with --dir")
	if len(d.Notes) != 1 {
		t.Errorf("got the notes %q", d.Notes)
	}
	if _, err := config.Parse("mirror.yaml", d.Text, os.Getenv, kinds.All()); err != nil {
		t.Error(err)
	}
}

func TestDraftNotesTheProjectsOwnFolder(t *testing.T) {
	d, _, err := draft(t, map[string]string{"package.json": "{}"}, Options{Dir: ".", Kinds: []string{"dir"}})
	if err != nil || len(d.Notes) != 1 || !strings.Contains(d.Notes[0], "package.json") {
		t.Errorf("got %q, %v", d.Notes, err)
	}
}

func TestDraftTakesWhatIsConfigured(t *testing.T) {
	d, _, err := draft(t, map[string]string{"package.json": `{"dependencies": {"hexo": "8"}}`, "source/CNAME": "blog.me.dev\n",
		"_config.yml": "url: https://blog.me.dev\nroot: /log/\ndeploy:\n  type: git\n  repo: https://x:s3cr3t-t0ken@github.com/me/log.git\n  branch: site\n"}, Options{Kinds: []string{"s3", "git"}})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, string(d.Text), "url: https://github.com/me/log.git\n", "branch: site\n", "cname: blog.me.dev\n", "token_env: GITHUB_TOKEN\n", `origin: {url: "https://blog.me.dev/log/"}`)
	if strings.Contains(string(d.Text), "s3cr3t") {
		t.Error("the config holds a secret")
	}
}

func TestDraftTakesTheOnlyRemote(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	dir := folder(t, map[string]string{"hugo.toml": ""})
	for _, args := range [][]string{{"init", "-q"}, {"remote", "add", "upstream", "git@gitlab.com:me/site.git"}} {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	d, err := New(Options{Folder: dir, Kinds: []string{"git"}}, kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	wants(t, string(d.Text), "url: git@gitlab.com:me/site.git\n", "https://me.gitlab.io/site/")
}

func TestInterview(t *testing.T) {
	d, said, err := draft(t, map[string]string{"package.json": `{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "6"}}`, "notes": "", "vite.config.js": "module.exports = { build: { outDir: out() } }"}, Options{},
		"", ".", "notes", "nowhere/out", "web", // the folder
		"ftp", "s3, dir", // the targets
		"", "s3://mine", "mine", "", "", "s3.example.com", "https://s3.example.com", "ftp://mine.dev/", "https://mine.dev", // the bucket
		"", "/srv/www/site", "none") // the folder
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	wants(t, said, "vite.config.js:1 sets the output folder with an expression", "a folder is needed", ". holds more than the site: package.json", "notes is not a folder",
		"there is no folder", `"ftp" is not a kind of target`, "a value is needed, such as BUCKET", "is a URL (hint: write the name of the bucket alone", "has no scheme (hint: write https:// before it)",
		"it must begin with http:// or https://", "a value is needed, such as /srv/www/SITE")
	wants(t, string(d.Text), "dir: ./web\n", "build: npm run build\n", "bucket: mine\n", "region: us-east-1\n", "endpoint: https://s3.example.com\n", `origin: {url: "https://mine.dev"}`,
		"path: /srv/www/site\n", "# origin: {url:")
	c, err := config.Parse("mirror.yaml", d.Text, os.Getenv, kinds.All())
	if err != nil || len(c.Targets) != 2 || c.Targets[1].Origin.URL != nil {
		t.Errorf("got %v", err)
	}
}

func TestInterviewTakesWhatIsSuggested(t *testing.T) {
	d, said, err := draft(t, map[string]string{"hugo.toml": "baseURL = 'https://me.dev/'\npublishDir = 'out'\n"}, Options{Kinds: []string{"git"}}, "", "git@github.com:me/site.git", "", "", "")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	wants(t, string(d.Text), "dir: ./out\n", "branch: gh-pages\n", `origin: {url: "https://me.dev/"}`)
}

func TestInterviewEnds(t *testing.T) {
	for name, answers := range map[string][]string{"at the end of the input": {"", "git"}, "after many wrong answers": strings.Split(strings.Repeat("ftp ", 50), " ")} {
		_, _, err := draft(t, map[string]string{"hugo.toml": ""}, Options{Dir: "public"}, answers...)
		if !errors.Is(err, ErrNoAnswer) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestAnInterruptEndsTheInterview has an input that says nothing, as a terminal before which no person sits.
func TestAnInterruptEndsTheInterview(t *testing.T) {
	silent, end := io.Pipe()
	t.Cleanup(func() { end.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	var said asked
	said.now = cancel // when the question is there
	_, err := New(Options{Folder: t.TempDir(), Prompt: NewPrompt(ctx, silent, &said)}, kinds.All())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// asked calls now at the first write.
type asked struct{ now func() }

func (a *asked) Write(p []byte) (int, error) {
	a.now()
	return len(p), nil
}
