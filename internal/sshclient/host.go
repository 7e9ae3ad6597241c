package sshclient

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Host is where to connect to.
type Host struct {
	Name     string // as the URL has it, which may be an alias of ssh_config; without brackets
	User     string // "" for that of ssh_config
	Port     int    // 0 for that of ssh_config
	Password string // only the client of our own can use it
}

// Options are settings beside those of ssh_config.
type Options struct {
	Key        string // file of the private key to try first, and none of the agent's; "" for those of ssh_config and the agent
	KnownHosts string // file; "" for those of ssh_config
	Getenv     func(string) string
	Setting    func(key string) string // of git, such as core.sshCommand
	// Multiplex is the path of a socket that does not exist yet. OpenSSH makes it with the first command,
	// and further ones go over the same connection while the first one runs. "" has each command connect
	// by itself, and so have a ControlPath in ssh_config and a system where OpenSSH cannot do it.
	Multiplex string
}

// Dialer runs commands on a host.
type Dialer interface {
	// Run starts a command there. What it, or ssh, writes on its standard error goes to stderr. The
	// end of ctx ends it.
	Run(ctx context.Context, command string, stderr io.Writer) (*Process, error)
	// Subsystem starts a subsystem of the server, such as sftp, in the same way.
	Subsystem(ctx context.Context, name string, stderr io.Writer) (*Process, error)
	// Hint says what to do about what was written to stderr, "" for nothing.
	Hint(ctx context.Context, said string) string
}

// Process is a command that runs.
type Process struct {
	In   io.WriteCloser
	Out  io.Reader
	Kill func()       // ends it at once
	Wait func() error // waits for its end and frees what it held
}

// String is the name, and the port where it is given, for messages.
func (h Host) String() string {
	if h.Port == 0 {
		return h.Name
	}
	return net.JoinHostPort(h.Name, strconv.Itoa(h.Port))
}

func expandHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return path
	}
	return filepath.Join(home, rest)
}

const defaultPort = 22

// Quote quotes a path as git itself does: the server's shell, or git-shell, reads it.
func Quote(path string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(path) + "'"
}
