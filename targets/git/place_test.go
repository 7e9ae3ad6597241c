package git

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/internal/longtest"
	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/targettest"
)

// repo is a bare repository of this machine, worked on with git itself.
type repo struct{ dir string }

func newRepo(t testing.TB, head string) repo {
	t.Helper()
	return newRepoAt(t, filepath.Join(t.TempDir(), "site.git"), head)
}

func newRepoAt(t testing.TB, path, head string) repo {
	t.Helper()
	realserver.BareRepository(t, path, head)
	return repo{dir: path}
}

// run runs git in the repository and returns what it printed.
func (r repo) run(t testing.TB, stdin []byte, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"--git-dir", r.dir}, args...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), append(env, "GIT_AUTHOR_NAME=other", "GIT_AUTHOR_EMAIL=o@example.com",
		"GIT_COMMITTER_NAME=other", "GIT_COMMITTER_EMAIL=o@example.com")...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// read gives a file's bytes as the branch's head has them.
func (r repo) read(path string) ([]byte, error) {
	cmd := exec.Command("git", "--git-dir", r.dir, "cat-file", "blob", "gh-pages:"+path)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return out, nil
}

// put commits files to the branch as another person would; nil content removes a file.
func (r repo) put(t testing.TB, files map[string][]byte) {
	t.Helper()
	index := []string{"GIT_INDEX_FILE=" + filepath.Join(t.TempDir(), "index")}
	parent := r.head(t)
	if parent != "" {
		r.run(t, nil, index, "read-tree", parent)
	}
	for path, text := range files {
		if text == nil {
			r.run(t, []byte("0 "+plumbing.ZeroHash.String()+"\t"+path+"\x00"), index, "update-index", "-z", "--index-info")
			continue
		}
		blob := r.run(t, text, nil, "hash-object", "-w", "--stdin")
		r.run(t, []byte("100644 "+blob+"\t"+path+"\x00"), index, "update-index", "-z", "--index-info")
	}
	args := []string{"commit-tree", "-m", "by hand", r.run(t, nil, index, "write-tree")}
	if parent != "" {
		args = append(args, "-p", parent)
	}
	r.run(t, nil, nil, "update-ref", "refs/heads/gh-pages", r.run(t, nil, nil, args...))
}

// head is the branch's commit, "" for none.
func (r repo) head(t testing.TB) string {
	t.Helper()
	return r.run(t, nil, nil, "for-each-ref", "--format=%(objectname)", "refs/heads/gh-pages")
}

func (r repo) fsck(t testing.TB) {
	t.Helper()
	for line := range strings.Lines(r.run(t, nil, nil, "fsck", "--strict", "--full", "--no-dangling")) {
		if !strings.HasPrefix(line, "notice: ") { // that HEAD is of no branch yet
			t.Errorf("git fsck --strict: %s", line)
		}
	}
}

// open opens a target that no other knows of.
func open(t testing.TB, c Config, env targets.Env) *Target {
	t.Helper()
	if env.Getenv == nil {
		env.Getenv = os.Getenv
	}
	tgt, err := Open(t.Context(), env, c)
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}

// place is a fixture around a repository that c reaches.
func place(r repo, c Config, getenv func(string) string) targettest.Fixture {
	return targettest.Fixture{
		Kind: Kind(),
		Open: func(t *testing.T, rt http.RoundTripper) targets.Target {
			return open(t, c, targets.Env{Transport: rt, Getenv: getenv})
		},
		Guarded: func(t *testing.T, owner string, lease time.Duration, rt http.RoundTripper) targets.Target {
			tgt := open(t, c, targets.Env{Owner: owner, Transport: rt, Getenv: getenv})
			tgt.lease = lease
			return tgt
		},
		Silence: func(r targets.Reservation) { r.(*reservation).keeper.Stop() },
		Keeping: func(t *testing.T, keep targets.Keep) targets.Target {
			return open(t, c, targets.Env{Keep: keep, Getenv: getenv})
		},
		Gracing: func(t *testing.T, policy *grace.Policy) targets.Target {
			return open(t, c, targets.Env{Grace: policy, Getenv: getenv})
		},
		Holds: func(t *testing.T, text string) string {
			blob := plumbing.ComputeHash(plumbing.BlobObject, []byte(text)).String()
			if strings.Contains(r.run(t, nil, nil, "rev-list", "--all", "--objects"), blob) {
				return blob
			}
			return ""
		},
		Read: r.read,
		Put:  func(t *testing.T, files map[string][]byte) { r.put(t, files) },
		Kept: []string{noJekyll},
	}
}

func TestTargetOverHTTP(t *testing.T) {
	longtest.Skip(t, "runs the whole suite of a target once more")
	t.Parallel()
	dir := t.TempDir()
	url, repos := realserver.GitHTTP(t, dir), 0
	targettest.RunOnServer(t, func(t *testing.T) targettest.Fixture {
		repos++
		name := fmt.Sprintf("site%d.git", repos)
		r := newRepoAt(t, filepath.Join(dir, name), "main")
		t.Cleanup(func() { r.fsck(t) })
		f := place(r, Config{URL: url + "/" + name}, nil)
		f.HTTP = true
		return f
	})
}

func TestTargetOverFile(t *testing.T) {
	t.Parallel()
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		r := newRepo(t, "main")
		t.Cleanup(func() { r.fsck(t) })
		return place(r, Config{URL: r.dir}, nil)
	})
}

func TestTargetOverSSH(t *testing.T) {
	longtest.Skip(t, "runs the whole suite of a target once more")
	t.Parallel()
	server := realserver.SSHD(t, true)
	getenv := sharedConnection(t)
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		if _, name, _ := strings.Cut(t.Name(), "/"); !slices.Contains(overSSH(), name) {
			t.Skip("ssh makes no difference: it is tried over HTTP and on a local repository")
		}
		r := newRepo(t, "main")
		t.Cleanup(func() { r.fsck(t) })
		f := place(r, Config{URL: server.URL(r.dir), SSHKey: server.Key, KnownHosts: server.KnownHosts}, getenv)
		f.Guarded = nil // tried over HTTP; a session over ssh takes long
		return f
	})
}

// overSSH lists the cases of the suite in which the connection matters: what is sent, what is cut
// off, and what happens at the same time.
func overSSH() []string {
	return []string{
		"first_release", "next_release", "odd_names", "stage_resumes_after_cancel", "commit_from_another_process", "commit_again",
		"stale_swap", "rollback_to_nothing", "past_releases", "concurrent_use", "readers_during_commit",
	}
}

// sharedConnection has all sessions to a server go through one connection of ssh: logging in
// hundreds of times is most of the suite's work.
func sharedConnection(t *testing.T) (getenv func(string) string) {
	t.Helper()
	ssh := realserver.Need(t, "ssh")
	dir, err := os.MkdirTemp("", "ssh") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	t.Cleanup(func() {
		_ = exec.Command(ssh, "-o", "ControlPath="+socket, "-O", "exit", "any").Run() // it may be gone
		_ = os.RemoveAll(dir)                                                         // the system's temporary folder
	})
	command := ssh + " -F none -o ControlMaster=auto -o ControlPersist=60 -o ControlPath=" + socket
	return func(name string) string {
		if name == "GIT_SSH_COMMAND" {
			return command
		}
		return os.Getenv(name)
	}
}

// TestTargetWithoutHistory publishes commits without parents, to a repository whose main
// branch is the site's, which git does not let a push delete.
func TestTargetWithoutHistory(t *testing.T) {
	longtest.Skip(t, "runs the whole suite of a target once more")
	t.Parallel()
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		r := newRepo(t, "gh-pages")
		t.Cleanup(func() { r.fsck(t) })
		return place(r, Config{URL: "file://" + r.dir, Orphan: true}, nil)
	})
}
