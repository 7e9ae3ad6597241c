package sshclient

import (
	"fmt"
	"strconv"
	"strings"
)

// hint says what to do about what ssh complained of. found are ssh's settings for the host.
func hint(host Host, o Options, said string, found map[string]string) string {
	has := func(texts ...string) bool {
		for _, t := range texts {
			if strings.Contains(said, t) {
				return true
			}
		}
		return false
	}
	switch {
	case has("IDENTIFICATION HAS CHANGED"):
		return " (hint: the host's key is not the one in known_hosts; another machine may answer in its place)"
	case has("Host key verification failed"):
		return fmt.Sprintf(" (hint: check the host's key, then: %s)", accept(host, o, found))
	case has("Permission denied", "Too many authentication failures"):
		return " (hint: load the key into ssh-agent with ssh-add, or name its file with ssh_key; a key with a passphrase goes through ssh-agent)"
	case has("Could not resolve hostname"):
		return " (hint: is the host's name right, or its alias in ~/.ssh/config?)"
	case has("Repository not found", "repository not found", "project you were looking for could not be found"):
		return fmt.Sprintf(" (hint: is the path right, and may this key read it? `ssh -T %s` shows whose key it is)", destination(host))
	}
	return ""
}

func destination(host Host) string {
	if host.User == "" {
		return host.Name
	}
	return host.User + "@" + host.Name
}

// accept is the command with which the host's key becomes known.
func accept(host Host, o Options, found map[string]string) string {
	for _, key := range []string{"proxyjump", "proxycommand", "hostkeyalias"} {
		if value := found[key]; value != "" && value != "none" {
			return "ssh " + destination(host)
		}
	}
	name, port := host.Name, host.Port
	if found["hostname"] != "" {
		name = found["hostname"]
	}
	if n, err := strconv.Atoi(found["port"]); err == nil {
		port = n
	}
	return keyscan(name, port, knownHosts(o, found["userknownhostsfile"]))
}

// knownHosts is the file that a key is to be added to.
func knownHosts(o Options, configured string) string {
	if o.KnownHosts != "" {
		return o.KnownHosts
	}
	if first, _, _ := strings.Cut(configured, " "); first != "" && !strings.HasSuffix(first, "/.ssh/known_hosts") {
		return first
	}
	return "~/.ssh/known_hosts"
}

// keyscan is the exact line that adds the key of a host and port to a file.
func keyscan(name string, port int, file string) string {
	option := ""
	if port != 0 && port != defaultPort {
		option = fmt.Sprintf("-p %d ", port)
	}
	return fmt.Sprintf("ssh-keyscan %s%s >> %s", option, name, file)
}
