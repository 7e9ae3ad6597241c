package realserver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"
)

// SSH is a real sshd that lets one key in.
type SSH struct {
	Addr       string // host:port
	User       string
	Key        string // file of the private key that is let in
	KnownHosts string // file that names the server's host key
}

// URL returns the ssh URL of an absolute path on the server.
func (s SSH) URL(path string) string { return fmt.Sprintf("ssh://%s@%s%s", s.User, s.Addr, path) }

// SSHD starts an sshd. With gitShell, a session can run git's services and nothing else.
func SSHD(t testing.TB, gitShell bool) SSH {
	t.Helper()
	if gitShell {
		return SSHDWith(t, fmt.Sprintf("ForceCommand %s -c \"$SSH_ORIGINAL_COMMAND\"\n", Need(t, "git-shell")))
	}
	return SSHDWith(t, "")
}

// SSHDWith starts an sshd with further lines of sshd_config.
func SSHDWith(t testing.TB, more string) SSH {
	t.Helper()
	program := Need(t, "sshd")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := SSH{
		Addr: Loopback(FreePort(t)), User: me.Username,
		Key: newKey(t, dir, "client"), KnownHosts: filepath.Join(dir, "known_hosts"),
	}
	host := newKey(t, dir, "host")
	s.writeKnownHosts(t, host+".pub")
	config := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(config, []byte(s.config(t, host)+more), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		_ = os.MkdirAll("/run/sshd", 0o755) // sshd says so itself where it is missing
	}
	Start(t, exec.Command(program, "-D", "-e", "-f", config), s.Addr)
	return s
}

func (s SSH) config(t testing.TB, host string) string {
	addr, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`ListenAddress %s
Port %s
HostKey %s
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile %s.pub
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
`, addr, port, host, s.Key)
}

func (s SSH) writeKnownHosts(t testing.TB, hostKey string) {
	t.Helper()
	key, err := os.ReadFile(hostKey)
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(s.Addr) // Loopback made it
	line := fmt.Sprintf("[%s]:%s %s", host, port, key)
	if err := os.WriteFile(s.KnownHosts, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newKey makes a key pair without a passphrase and returns the private key's file.
func newKey(t testing.TB, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	out, err := exec.Command(Need(t, "ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", path).CombinedOutput()
	if err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	return path
}
