package sshclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mirror/internal/realserver"
)

// lab is an sshd and an ssh_config of the test's own. OpenSSH takes the home folder from the system's
// list of users and not from HOME, so the file is named on the command line.
type lab struct {
	realserver.SSH
	dir, host, port string
}

func newLab(t *testing.T) lab {
	t.Helper()
	realserver.Need(t, "ssh")
	l := lab{SSH: realserver.SSHD(t, false), dir: t.TempDir()}
	l.host, l.port, _ = net.SplitHostPort(l.Addr)
	return l
}

// with returns options whose ssh reads this config. HOST, PORT, USER, KEY, KNOWN and DIR in it are
// replaced by the server's.
func (l lab) with(t *testing.T, name, config string) Options {
	t.Helper()
	config = "IdentityAgent none\n" + config // which may have more keys than the server lets try
	config = strings.NewReplacer("HOST", l.host, "PORT", l.port, "USER", l.User, "KEY", l.Key, "KNOWN", l.KnownHosts, "DIR", l.dir).Replace(config)
	path := filepath.Join(l.dir, name+".config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return Options{Getenv: environ("GIT_SSH_COMMAND", "ssh -F '"+path+"'")}
}

func environ(pairs ...string) func(string) string {
	return func(name string) string {
		if i := slices.Index(pairs, name); i >= 0 {
			return pairs[i+1]
		}
		return ""
	}
}

// say runs a command that prints a word, and returns what it and ssh printed.
func say(t *testing.T, host Host, o Options) (out, said string, d Dialer) {
	t.Helper()
	d, err := New(host, o)
	if err != nil {
		t.Fatal(err)
	}
	out, said, err = runOn(t.Context(), d)
	if err != nil && said == "" {
		said = err.Error()
	}
	return out, said, d
}

func runOn(ctx context.Context, d Dialer) (out, said string, err error) {
	var stderr bytes.Buffer
	p, err := d.Run(ctx, "echo hello", &stderr)
	if err != nil {
		return "", "", err
	}
	_ = p.In.Close() // nothing is sent
	text, _ := io.ReadAll(p.Out)
	err = p.Wait()
	return strings.TrimSpace(string(text)), stderr.String(), err
}

// TestConfigsOfAllKinds logs in as ssh_config says.
func TestConfigsOfAllKinds(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.newKey(t, "wrong")
	l.newKey(t, "ca")
	l.newKey(t, "signed")
	run(t, "ssh-keygen", "-q", "-s", filepath.Join(l.dir, "ca"), "-I", "user", "-n", l.User, filepath.Join(l.dir, "signed.pub"))
	l.let(t, "cert-authority", filepath.Join(l.dir, "ca.pub"))
	copyFile(t, l.KnownHosts, filepath.Join(l.dir, "blog.known"))
	alias, err := os.ReadFile(l.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	_, key, _ := strings.Cut(string(alias), " ")
	write(t, filepath.Join(l.dir, "alias.known"), "other "+key)

	const to = " HostName HOST\n Port PORT\n User USER\n"
	const usual = "Host blog\n" + to + " IdentityFile KEY\n UserKnownHostsFile KNOWN\n"
	for name, config := range map[string]string{
		"plain":                   usual,
		"match":                   usual + "Match final all\n GSSAPIAuthentication no\n",
		"match host":              "Match host blog\n" + to + " IdentityFile KEY\n UserKnownHostsFile KNOWN\n",
		"second identity":         "Host blog\n" + to + " IdentityFile DIR/wrong\n IdentityFile KEY\n IdentitiesOnly yes\n UserKnownHostsFile KNOWN\n",
		"tokens and quotes":       "Host blog\n" + to + " IdentityFile \"KEY\"\n UserKnownHostsFile \"DIR/%n.known\"\n",
		"certificate":             "Host blog\n" + to + " IdentityFile DIR/signed\n UserKnownHostsFile KNOWN\n",
		"host key under an alias": "Host blog\n HostKeyAlias other\n" + to + " IdentityFile KEY\n UserKnownHostsFile DIR/alias.known\n",
		"jump":                    usual + "Host far\n" + to + " ProxyJump blog\n IdentityFile KEY\n UserKnownHostsFile KNOWN\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := Host{Name: "blog"}
			if name == "jump" {
				host.Name = "far"
			}
			if out, said, _ := say(t, host, l.with(t, strings.ReplaceAll(name, " ", "-"), config)); out != "hello" {
				t.Errorf("got %q, and %s", out, said)
			}
		})
	}
}

// TestRefusedLogins has no terminal to ask at: each refusal ends, and has a hint that helps.
func TestRefusedLogins(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.newKey(t, "wrong")
	const to = "Host blog\n HostName HOST\n Port PORT\n User USER\n"
	other := filepath.Join(l.dir, "none")
	write(t, other, "")
	changed, err := os.ReadFile(filepath.Join(l.dir, "wrong.pub"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(l.dir, "changed"), fmt.Sprintf("[%s]:%s %s", l.host, l.port, changed))
	keyscan := fmt.Sprintf("ssh-keyscan -p %s %s >> %s)", l.port, l.host, other)
	for name, tc := range map[string]struct {
		config, want string
		options      Options
	}{
		"unknown host":             {to + " IdentityFile KEY\n UserKnownHostsFile DIR/none\n", keyscan, Options{}},
		"unknown, named by config": {to + " IdentityFile KEY\n StrictHostKeyChecking no\n", keyscan, Options{KnownHosts: other}},
		"unknown behind a jump":    {to + " IdentityFile KEY\n HostKeyAlias x\n UserKnownHostsFile DIR/none\n", "then: ssh blog)", Options{}},
		"changed":                  {to + " IdentityFile KEY\n UserKnownHostsFile DIR/changed\n", "another machine may answer", Options{}},
		"wrong key":                {to + " UserKnownHostsFile KNOWN\n", "ssh-add", Options{Key: filepath.Join(l.dir, "wrong")}},
		"no key":                   {to, "no such file", Options{Key: filepath.Join(l.dir, "missing")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := l.with(t, strings.ReplaceAll(name, " ", "-"), tc.config)
			o.Key, o.KnownHosts = tc.options.Key, tc.options.KnownHosts
			out, said, d := say(t, Host{Name: "blog"}, o)
			if got := said + d.Hint(t.Context(), said); out != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, and %s; want %s", out, got, tc.want)
			}
		})
	}
}

// TestKeyOfTheConfig prefers the key that the config names to all others.
func TestKeyOfTheConfig(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	port, err := strconv.Atoi(l.port)
	if err != nil {
		t.Fatal(err)
	}
	strange := filepath.Join(l.dir, "a key %d")
	copyFile(t, l.Key, strange)
	o := l.with(t, "empty", "Host *\n")
	o.Key, o.KnownHosts = strange, l.KnownHosts
	if out, said, _ := say(t, Host{Name: l.host, Port: port, User: l.User}, o); out != "hello" {
		t.Errorf("got %q, and %s", out, said)
	}
}

// TestSharedConnections has ssh leave a master behind that holds its standard error open.
func TestSharedConnections(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	dir, err := os.MkdirTemp("", "ssh") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // the system's temporary folder
	socket := filepath.Join(dir, "s")
	o := l.with(t, "shared", "Host blog\n HostName HOST\n Port PORT\n User USER\n IdentityFile KEY\n UserKnownHostsFile KNOWN\n"+
		" ControlMaster auto\n ControlPath "+socket+"\n ControlPersist 60\n")
	t.Cleanup(func() { _ = exec.Command("ssh", "-o", "ControlPath="+socket, "-O", "exit", "blog").Run() }) // it may be gone
	for range 2 {
		if out, said, _ := say(t, Host{Name: "blog"}, o); out != "hello" {
			t.Errorf("got %q, and %s", out, said)
		}
	}
}

// TestSilentHost ends ssh with its context while a host accepts and says nothing.
func TestSilentHost(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "ssh")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		conn, err := l.Accept()
		cancel()
		if err == nil {
			defer conn.Close()
			_, _ = io.Copy(io.Discard, conn) // until ssh has gone
		}
	}()
	d, err := New(Host{Name: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}, Options{Getenv: environ()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, _, err := runOn(ctx, d)
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || ctx.Err() == nil {
			t.Errorf("got %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("ssh still runs")
	}
}

func TestArgumentsOfEachVariant(t *testing.T) {
	for _, tc := range []struct {
		env  []string
		host Host
		want string
	}{
		{[]string{"GIT_SSH_COMMAND", "ssh -F x"}, Host{Name: "h", Port: 2222}, "-o BatchMode=yes -p 2222"},
		{[]string{"GIT_SSH_COMMAND", `"/opt/my tools/ssh.exe" -v`}, Host{Name: "h"}, "-o BatchMode=yes"},
		{[]string{"GIT_SSH", "/opt/plink"}, Host{Name: "h", Port: 2222}, "-batch -P 2222"},
		{[]string{"GIT_SSH", "TortoisePlink.exe"}, Host{Name: "h"}, "-batch"},
		{[]string{"GIT_SSH_COMMAND", "wrapper", "GIT_SSH_VARIANT", "simple"}, Host{Name: "h"}, ""},
		{[]string{"GIT_SSH_COMMAND", "wrapper", "GIT_SSH_VARIANT", "simple"}, Host{Name: "h", Port: 22}, "takes no port"},
		{[]string{"GIT_SSH_COMMAND", "wrapper", "GIT_SSH", "plink", "GIT_SSH_VARIANT", "ssh"}, Host{Name: "h"}, "-o BatchMode=yes"},
		{[]string{"GIT_SSH_COMMAND", "false"}, Host{Name: "h"}, ""}, // does not understand -G
	} {
		d, err := New(tc.host, Options{Getenv: environ(tc.env...)})
		if err != nil {
			t.Fatal(err)
		}
		e := d.(*external)
		args, err := e.arguments(e.findVariant(t.Context()))
		if got := strings.Join(args, " ") + fmt.Sprint(err); !strings.Contains(got, tc.want) || tc.want == "" && len(args) > 0 {
			t.Errorf("%v: got %s, want %s", tc.env, got, tc.want)
		}
	}
}

// TestChoiceOfTheProgram prefers the environment to git's settings, and these to GIT_SSH.
func TestChoiceOfTheProgram(t *testing.T) {
	settings := func(key string) string {
		return map[string]string{"core.sshCommand": "set", "ssh.variant": "plink"}[key]
	}
	for want, o := range map[string]Options{
		"env plink":  {Getenv: environ("GIT_SSH_COMMAND", "env", "GIT_SSH", "p"), Setting: settings},
		"set plink":  {Getenv: environ("GIT_SSH", "p"), Setting: settings},
		"set simple": {Getenv: environ("GIT_SSH_VARIANT", "simple"), Setting: settings},
		"p auto":     {Getenv: environ("GIT_SSH", "p")},
	} {
		p := findProgram(o)
		name := p.line
		if name == "" {
			name = p.path
		}
		if got := name + " " + p.variant; got != want || !p.named {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestHints are for what a test could not have a server say.
func TestHints(t *testing.T) {
	for said, want := range map[string]string{
		"ssh: Could not resolve hostname blog: Name or service not known": "alias in ~/.ssh/config",
		"ERROR: Repository not found.":                                    "`ssh -T git@blog` shows whose key",
		"root@blog: Permission denied (publickey).":                       "ssh-add",
		"fatal: something else":                                           "",
	} {
		if got := hint(Host{Name: "blog", User: "git"}, Options{}, said, nil); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: got %s", said, got)
		}
	}
	for want, o := range map[string]Options{
		"ssh-keyscan ::1 >> ~/.ssh/known_hosts": {},
		"ssh-keyscan ::1 >> /etc/known":         {KnownHosts: "/etc/known"},
	} {
		if got := accept(Host{Name: "::1", Port: 22}, o, nil); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestDashesAreRefused(t *testing.T) {
	for _, h := range []Host{{Name: "-oProxyCommand=x"}, {Name: "h", User: "-oProxyCommand=x"}} {
		if _, err := New(h, Options{}); err == nil || !strings.Contains(err.Error(), "dash") {
			t.Errorf("%+v: got %v", h, err)
		}
	}
}

func (l lab) newKey(t *testing.T, name string) {
	t.Helper()
	run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(l.dir, name))
}

// let lets another key in.
func (l lab) let(t *testing.T, option, public string) {
	t.Helper()
	key, err := os.ReadFile(public)
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(l.Key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	write(t, l.Key+".pub", string(own)+option+" "+string(key))
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(realserver.Need(t, name), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(text))
}
