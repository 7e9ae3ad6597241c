package git

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/targettest"
)

// newSigningKey makes a key with ssh-keygen, and the file of allowed signers that names it.
func newSigningKey(t *testing.T, kind, passphrase string) (key, allowed string) {
	t.Helper()
	keygen := realserver.Need(t, "ssh-keygen")
	dir := t.TempDir()
	key, allowed = filepath.Join(dir, "key"), filepath.Join(dir, "allowed")
	if out, err := exec.Command(keygen, "-q", "-t", kind, "-b", map[string]string{"rsa": "2048", "ecdsa": "256", "ed25519": "256"}[kind], "-N", passphrase, "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(allowed, []byte("blog@example.com "+string(public)), 0o600); err != nil {
		t.Fatal(err)
	}
	return key, allowed
}

// runAgent is an agent with one key, and the path of its socket.
func runAgent(t *testing.T, key, passphrase string) string {
	t.Helper()
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ssh.ParseRawPrivateKey(text)
	if passphrase != "" {
		private, err = ssh.ParseRawPrivateKeyWithPassphrase(text, []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "agent") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, c); c.Close() }()
		}
	}()
	return l.Addr().String()
}

// TestSignedCommits has git verify what is on the branch, after a release, the next one, and a branch
// that is emptied.
func TestSignedCommits(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	for name, tc := range map[string]struct {
		kind, passphrase, suffix string
		agent                    bool
		value                    string
	}{
		"ed25519":               {kind: "ed25519"},
		"rsa":                   {kind: "rsa"},
		"passphrase and agent":  {kind: "ed25519", passphrase: "s3cret-words", agent: true},
		"public key and agent":  {kind: "ecdsa", suffix: ".pub", agent: true},
		"the agent's first key": {kind: "ed25519", agent: true, value: "agent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, allowed := newSigningKey(t, tc.kind, tc.passphrase)
			env := map[string]string{"HOME": t.TempDir()}
			if tc.agent {
				env["SSH_AUTH_SOCK"] = runAgent(t, key, tc.passphrase)
			}
			c := Config{SigningKey: key + tc.suffix, Author: "Blog <blog@example.com>"}
			if tc.value != "" {
				c.SigningKey = tc.value
			}
			r := newRepo(t, "main")
			c.URL = r.dir
			tgt := open(t, c, targets.Env{Getenv: func(name string) string { return env[name] }})
			for _, files := range []targettest.Files{v1, v2} {
				publish(t, tgt, files)
				out := r.run(t, nil, nil, "-c", "gpg.ssh.allowedSignersFile="+allowed, "verify-commit", "-v", "gh-pages")
				if !strings.Contains(out, `Good "git" signature for blog@example.com`) {
					t.Errorf("verify-commit: got %s", out)
				}
			}
			if live, err := tgt.Live(t.Context()); err != nil || live.Release != targettest.Release(v2).ID() {
				t.Errorf("live: got %+v, %v", live, err)
			}
			r.fsck(t)
		})
	}
}

// TestKeysThatCannotSign has keys with which nothing can be signed: an error before anything is sent,
// which shows nothing of the file.
func TestKeysThatCannotSign(t *testing.T) {
	t.Parallel()
	locked, _ := newSigningKey(t, "ed25519", "s3cret-words")
	other, _ := newSigningKey(t, "ed25519", "")
	garbage := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(garbage, []byte("s3cret-words"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ key, socket, want string }{
		"missing":            {filepath.Join(t.TempDir(), "none"), "", "no such file"},
		"no key":             {garbage, "", "is not an ssh key"},
		"passphrase":         {locked, "", "no ssh-agent is running"},
		"agent":              {"agent", "", "no ssh-agent is running"},
		"not in the agent":   {locked, runAgent(t, other, ""), "ssh-agent does not have the key (hint: ssh-add"},
		"an agent that left": {locked + ".pub", filepath.Join(t.TempDir(), "s"), "ssh-agent: dial unix"},
	} {
		r := newRepo(t, "main")
		tgt, err := Open(t.Context(), targets.Env{Getenv: func(n string) string {
			return map[string]string{"SSH_AUTH_SOCK": tc.socket, "HOME": "/nonexistent"}[n]
		}}, Config{URL: r.dir, SigningKey: tc.key})
		if err == nil {
			err = tgt.Stage(t.Context(), targettest.Release(v1), nil)
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "s3cret-words") {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
		if refs := r.run(t, nil, nil, "for-each-ref"); refs != "" {
			t.Errorf("%s: the repository got %s", name, refs)
		}
	}
}
