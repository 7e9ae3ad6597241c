// Package sshclient runs a command at the other end of an ssh connection, as git does: with the program
// ssh, or the one that git's settings name, and so with all of the user's ssh_config. Where no such
// program is installed a client of our own is used; it refuses settings that it cannot honour.
//
// Nothing is ever asked for: a passphrase or an unknown host's key is an error with a hint.
package sshclient

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// New returns the way to a host. It connects to nothing.
func New(host Host, o Options) (Dialer, error) {
	for what, value := range map[string]string{"host": host.Name, "user": host.User} {
		if strings.HasPrefix(value, "-") {
			return nil, fmt.Errorf("url: the %s %q begins with a dash, which ssh would take for an option", what, value)
		}
	}
	if host.Name == "" {
		return nil, errors.New("url: the host is missing")
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	o.Key, o.KnownHosts = expandHome(o.Key), expandHome(o.KnownHosts)
	if p := findProgram(o); p != nil && (host.Password == "" || p.named) {
		return &external{program: p, host: host, options: o}, nil
	}
	return newClient(host, o)
}
