package ssh

import (
	"errors"
	"net"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"mirror/internal/sshclient"
)

// address is where a site is published to.
type address struct {
	host sshclient.Host
	path string // of the folder; relative to the account's where it begins with no slash
}

// short is [user@]host:path, as scp and rsync have it. A host in brackets may be an IPv6 address.
var short = regexp.MustCompile(`^(?:([^@/:]+)@)?(\[[^\]/]+\]|[^@/:\[\]]+):(.*)$`)

func parseAddress(text string) (address, error) {
	a, err := splitAddress(text)
	switch {
	case err != nil:
		return address{}, err
	case a.host.Name == "":
		return address{}, errors.New("names no host (hint: ssh://user@host/path)")
	case strings.HasPrefix(a.host.Name, "-") || strings.HasPrefix(a.host.User, "-"):
		return address{}, errors.New("has a host or a user that begins with a dash, which ssh would take for an option")
	case strings.ContainsRune(a.path, 0) || strings.ContainsAny(a.host.Name+a.host.User, " \x00\n"):
		return address{}, errors.New("has a character that no host or path can have")
	}
	switch a.path = path.Clean(a.path); a.path {
	case ".", "/", "..":
		return address{}, errors.New("names no folder for the site (hint: ssh://user@host/srv/www/blog)")
	}
	return a, nil
}

func splitAddress(text string) (address, error) {
	if !strings.Contains(text, "://") {
		m := short.FindStringSubmatch(text)
		if m == nil {
			return address{}, errors.New("is not an address of a folder on a host (hint: ssh://user@host/path, or user@host:path)")
		}
		return address{host: sshclient.Host{User: m[1], Name: strings.Trim(m[2], "[]")}, path: strings.TrimPrefix(m[3], "~/")}, nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return address{}, errors.New("is not a URL (hint: ssh://user@host:port/path)")
	case u.Scheme != "ssh" && u.Scheme != "sftp":
		return address{}, errors.New("has a protocol that is not ssh (hint: ssh://user@host/path)")
	case u.RawQuery != "" || u.Fragment != "":
		return address{}, errors.New("has a query or a fragment (hint: write ? as %3F and # as %23)")
	}
	if _, has := u.User.Password(); has {
		return address{}, errors.New("holds a password (hint: log in with a key; see ssh_key)")
	}
	a := address{host: sshclient.Host{Name: u.Hostname(), User: u.User.Username()}, path: u.Path}
	if rest, home := strings.CutPrefix(u.Path, "/~/"); home {
		a.path = rest
	}
	if port := u.Port(); port != "" {
		if a.host.Port, err = strconv.Atoi(port); err != nil || a.host.Port < 1 || a.host.Port > 65535 {
			return address{}, errors.New("has a port that does not exist")
		}
	}
	return a, nil
}

// peer is the URL of the server.
func (a address) peer() string {
	host := a.host.Name
	switch {
	case a.host.Port > 0 && a.host.Port != 22:
		host = net.JoinHostPort(host, strconv.Itoa(a.host.Port))
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	return "ssh://" + host
}

// id tells the folder from every other.
func (a address) id() string { return a.host.User + "@" + a.peer() + " " + a.path }
