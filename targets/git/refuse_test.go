package git

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/targettest"
)

func TestRefusedPaths(t *testing.T) {
	for _, path := range []string{
		".git", ".git/config", "a/.git", "a/.GIT/b", ".gIt", "git~1", "GIT~1/x", ".git ", ".git.", ".git . .",
		".git::$INDEX_ALLOCATION", ".git:x", ".g\u200cit", "\ufeff.git", ".git\\x", "a\\.git", "a\\git~1",
		".gitmodules ", ".GITMODULES", "gitmod~1", "GI7EBA~1", ".gitmodules:$DATA", "..", "a/../b", ".", "./a", "a//b",
		"/a", "a/", "a\x00b",
	} {
		if badPath(path) == "" {
			t.Errorf("%q: got taken, want refused", path)
		}
	}
	for _, path := range []string{
		"index.html", ".gitignore", ".github/workflows/x", "git", "a.git", ".gitx", "git~2x", "...", "..a", "a..",
		"gitmodules", ".gitkeep", "git~10", "文章/你好.html", "back\\slash", "a:b", "con", "caf\u00e9", "-dash",
	} {
		if reason := badPath(path); reason != "" {
			t.Errorf("%q: got refused (%s), want taken", path, reason)
		}
	}
}

// FuzzRefusedPaths asks git itself: what is not refused here, git takes under its
// strictest protection of other systems' names.
func FuzzRefusedPaths(f *testing.F) {
	realserver.Need(f, "git")
	for _, seed := range []string{"index.html", ".git ", "a/.GIT/b", ".g\u200cit", "git~1", "x\\.git", ".git::$I", "a/./b", "...", "gi7eba~1"} {
		f.Add(seed)
	}
	r := newRepo(f, "main")
	blob := r.run(f, nil, nil, "hash-object", "-w", "--stdin")
	f.Fuzz(func(t *testing.T, path string) {
		if badPath(path) != "" || path == "" || strings.ContainsRune(path, 0) || !utf8.ValidString(path) || len(path) > 4000 {
			return
		}
		index := "GIT_INDEX_FILE=" + t.TempDir() + "/index"
		cmd := exec.Command("git", "--git-dir", r.dir, "-c", "core.protectHFS=true", "-c", "core.protectNTFS=true",
			"update-index", "--add", "--cacheinfo", "100644,"+blob+","+path)
		cmd.Env = append(cmd.Environ(), index)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%q is not refused here, and by git: %s", path, out)
		}
	})
}

func TestRefusedContents(t *testing.T) {
	tgt := open(t, Config{URL: "https://github.com/me/site.git"}, targets.Env{})
	long := strings.Repeat("x", maxAttributes)
	for _, tc := range []struct {
		path, text string
		refused    bool
	}{
		{".gitmodules", "[submodule \"a\"]\n\tpath = a\n\turl = https://example.com/a\n", false},
		{".gitmodules", "[submodule \"../a\"]\n\tpath = a\n", true},
		{"deep/.gitmodules", "[submodule \"a\"]\n\turl = -u./payload\n", true},
		{".gitmodules", "[submodule \"a\"]\n\tupdate = !rm\n", true},
		{".gitattributes", "*.html text\n", false},
		{".gitattributes", long, true},
		{"notes.txt", long, false},
	} {
		err := tgt.refuse(targettest.Release(targettest.Files{tc.path: tc.text}))
		var refused *targets.RefusedError
		if got := errors.As(err, &refused); got != tc.refused {
			t.Errorf("%s with %.40q: got %v, want refused %v", tc.path, tc.text, err, tc.refused)
		} else if got && (refused.Path != tc.path || refused.Hint == "") {
			t.Errorf("%s: got %+v, want the path and a hint", tc.path, refused)
		}
	}
}

func TestRefusedSize(t *testing.T) {
	m := site.Manifest{{Path: "big.zip", Size: githubLimit + 1}}
	rel := site.NewRelease(m, nil, "", targettest.Release(nil).Published)
	for url, want := range map[string]bool{
		"https://github.com/me/site.git": true, "git@github.com:me/site.git": true, "ssh://git@ssh.github.com:443/me/site.git": true,
		"https://gitlab.com/me/site.git": false, "/srv/github.com/site.git": false,
	} {
		var refused *targets.RefusedError
		if got := errors.As(open(t, Config{URL: url}, targets.Env{}).refuse(rel), &refused); got != want {
			t.Errorf("%s: got refused %v, want %v", url, got, want)
		}
	}
}

// TestRefusedClash plans a site whose file stands where the beacon's folder has to be.
func TestRefusedClash(t *testing.T) {
	r := newRepo(t, "main")
	_, err := open(t, Config{URL: r.dir}, targets.Env{}).Plan(t.Context(), targettest.Release(targettest.Files{".well-known": "x"}))
	var refused *targets.RefusedError
	if !errors.As(err, &refused) || refused.Path != ".well-known" {
		t.Errorf("got %v, want the file refused", err)
	}
}
