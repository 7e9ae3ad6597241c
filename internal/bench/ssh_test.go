package bench

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/realserver"
)

// TestSSH publishes over OpenSSH's sshd.
func TestSSH(t *testing.T) { fullContest(t, "ssh", []string{stepVerified}, sshTools()...) }

func sshTools() []Tool {
	return []Tool{
		mirrorTool(func(e *Entry) (string, Place) {
			s := openShell(e)
			web := realserver.Nginx(e, filepath.Join(s.root, "current"))
			return fmt.Sprintf("  - {name: ssh, type: ssh, url: %q, ssh_key: %q, known_hosts: %q, origin: {url: %q}}\n", s.URL(s.root), s.Key, s.KnownHosts, web+"/"), s.place()
		}),
		peer("rsync --checksum --link-dest", "rsync", "rsync --version", func(e *Entry) Place { return openShell(e).rsync() }),
	}
}

// shell is an sshd with a folder.
type shell struct {
	realserver.SSH
	root, site string
}

// noStartupFiles has bash take the session for an inner one, which does not read ~/.bashrc: a publish begins several shells, and
// what the files of this machine's user cost is not measured.
const noStartupFiles = "SetEnv SHLVL=2\n"

func openShell(e *Entry) shell {
	e.Helper()
	s := shell{realserver.SSHDWith(e, noStartupFiles), filepath.Join(e.TempDir(), "www"), e.Site}
	if err := os.MkdirAll(s.root, 0o755); err != nil {
		e.Fatal(err)
	}
	front := e.TCP(s.Addr)
	known, err := os.ReadFile(s.KnownHosts)
	if err != nil {
		e.Fatal(err)
	}
	s.KnownHosts = filepath.Join(e.TempDir(), "known_hosts")
	if err := os.WriteFile(s.KnownHosts, []byte(strings.Replace(string(known), bracketed(s.Addr), bracketed(front), 1)), 0o600); err != nil {
		e.Fatal(err)
	}
	s.Addr = front
	return s
}

// bracketed is the address as known_hosts has it.
func bracketed(addr string) string {
	host, port, _ := net.SplitHostPort(addr) // made by this program
	return fmt.Sprintf("[%s]:%s", host, port)
}

func (s shell) place() Place {
	return Place{
		Stored: func() (Tree, error) { return ReadFolder(filepath.Join(s.root, "current")) },
		Own:    func(path string) bool { return path == ".well-known/mirror.json" },
	}
}

// rsync sends a release beside the live one, with links to its files, and turns the link in the same way as mirror does.
func (s shell) rsync() Place {
	p, n := s.place(), 0
	_, port, _ := net.SplitHostPort(s.Addr) // made by this program
	ssh := fmt.Sprintf("ssh -o BatchMode=yes -o IdentitiesOnly=yes -i %s -o UserKnownHostsFile=%s -p %s", s.Key, s.KnownHosts, port)
	p.Publish = func(step string) Command {
		if step == stepVerified {
			return Command{}
		}
		n++
		return Command{Dir: s.site, Line: fmt.Sprintf(
			`set -e; rsync -a --checksum --link-dest=../r%[1]d -e %[2]q ./ %[3]s@127.0.0.1:%[4]s/r%[5]d/; %[6]s %[3]s@127.0.0.1 'ln -sfn r%[5]d %[4]s/next && mv -T %[4]s/next %[4]s/current'`,
			n-1, ssh, s.User, s.root, n, ssh)}
	}
	return p
}
