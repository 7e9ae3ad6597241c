package ssh_test

import (
	"context"
	"io"
	"os"
	"testing"

	"mirror/internal/command"
	"mirror/internal/realserver"
	"mirror/internal/sshclient"
	"mirror/targets"
	"mirror/targets/ssh"
	"mirror/targets/ssh/internal/remote"
)

// local is a host without the encryption: OpenSSH's own sftp server, and a shell, as processes of this machine.
type local struct {
	sftp  string   // program
	shell []string // program and arguments before the command; nil for no shell
	umask string
}

// Subsystem starts the sftp server.
func (l local) Subsystem(ctx context.Context, _ string, stderr io.Writer) (*sshclient.Process, error) {
	return start(ctx, stderr, "sh", "-c", "umask "+l.umask+` && exec "$0"`, l.sftp)
}

// Run runs a command, or what a host that lets the account use sftp only runs in its place.
func (l local) Run(ctx context.Context, line string, stderr io.Writer) (*sshclient.Process, error) {
	if l.shell == nil {
		return start(ctx, stderr, l.sftp)
	}
	return start(ctx, stderr, l.shell[0], append(l.shell[1:], line)...)
}

// Hint knows of none.
func (local) Hint(context.Context, string) string { return "" }

func start(ctx context.Context, stderr io.Writer, name string, args ...string) (*sshclient.Process, error) {
	p, err := command.Start(ctx, os.Environ(), stderr, name, args...)
	if err != nil {
		return nil, err
	}
	return &sshclient.Process{In: p.In, Out: p.Out, Kill: p.Kill, Wait: p.Wait}, nil
}

// newLocal looks for OpenSSH's sftp server.
func newLocal(t *testing.T, shell ...string) local {
	t.Helper()
	for _, name := range []string{"/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/libexec/sftp-server", "/usr/lib/ssh/sftp-server"} {
		if _, err := os.Stat(name); err == nil {
			return local{sftp: name, shell: shell, umask: "077"}
		}
	}
	realserver.Missing(t, "needs OpenSSH's sftp-server, which is not installed")
	return local{}
}

// over opens a place on a host.
func over(t testing.TB, host *remote.Host, path string, env targets.Env) *ssh.Target {
	t.Helper()
	tgt, err := ssh.Over(host, path, env, ssh.Config{})
	must(t, err)
	return tgt
}
