package bench

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"mirror/internal/realserver"
)

// TestGit pushes to git http-backend.
func TestGit(t *testing.T) { fullContest(t, "git", []string{stepFresh}, gitTools()...) }

func gitTools() []Tool {
	return []Tool{
		mirrorTool(func(e *Entry) (string, Place) {
			h := openHost(e)
			return fmt.Sprintf("  - {name: git, type: git, url: %q, branch: gh-pages, origin: {url: \"http://127.0.0.1:9/\"}}\n", h.url), h.place()
		}),
		peer("git add, commit, push", "git", "git --version", func(e *Entry) Place { return openHost(e).native() }),
		peer("gh-pages", "gh-pages", "gh-pages --version", func(e *Entry) Place {
			h := openHost(e)
			p := h.place()
			p.Publish = always(h.command("gh-pages --repo %[1]s --branch gh-pages --dotfiles --nojekyll --dist ."))
			return p
		}),
	}
}

// host has one empty repository.
type host struct{ repo, url, site, home string }

func openHost(e *Entry) host {
	e.Helper()
	dir := e.TempDir()
	h := host{repo: filepath.Join(dir, "site.git"), site: e.Site, home: e.TempDir()}
	realserver.BareRepository(e, h.repo, "gh-pages")
	server := realserver.GitHTTP(e, dir)
	h.url = "http://" + e.HTTP(server[len("http://"):]) + "/site.git"
	return h
}

func (h host) place() Place {
	return Place{
		Stored: func() (Tree, error) { return readBranch(h.repo) },
		Own:    func(path string) bool { return path == ".well-known/mirror.json" || path == ".nojekyll" },
	}
}

// command is a line that takes the URL and the folder of a clone.
func (h host) command(line string) Command {
	return Command{Line: fmt.Sprintf("set -e; "+line, h.url, filepath.Join(h.home, "clone")), Dir: h.site, Env: []string{
		"HOME=" + h.home, "XDG_CONFIG_HOME=" + h.home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=bench", "GIT_AUTHOR_EMAIL=bench@example.com", "GIT_COMMITTER_NAME=bench", "GIT_COMMITTER_EMAIL=bench@example.com",
	}}
}

// native is git with the site as its work tree, which spares it a copy. The repository beside it is kept, but for a fresh
// runner, which fetches the last commit first.
func (h host) native() Place {
	const (
		begin  = "git init -q --bare %[2]s; "
		add    = "export GIT_DIR=%[2]s GIT_WORK_TREE=.; git add -A; git diff --cached --quiet || git commit -q -m bench; "
		push   = "git push -q %[1]s HEAD:gh-pages"
		lately = "rm -rf %[2]s; " + begin + "git -C %[2]s fetch -q --depth 1 %[1]s gh-pages; git -C %[2]s update-ref HEAD FETCH_HEAD; "
	)
	p := h.place()
	p.Publish = func(step string) Command {
		switch step {
		case stepVerified:
			return Command{}
		case stepCold:
			return h.command(begin + add + push)
		case stepFresh:
			return h.command(lately + add + push)
		}
		return h.command(add + push)
	}
	return p
}

// readBranch reads what the branch holds.
func readBranch(repo string) (Tree, error) {
	cmd := exec.Command("git", "--git-dir", repo, "archive", "gh-pages")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	tree, readErr := ReadTar(out)
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("git archive: %w", err)
	}
	return tree, readErr
}
