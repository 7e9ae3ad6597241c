package sshclient

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	sshconfig "github.com/kevinburke/ssh_config"

	"mirror/internal/regular"
)

// settings are what the client of our own goes by of ssh_config.
type settings struct {
	hostName, port, user string
	hostKeyAlias         string
	identityFiles        []string
	identitiesOnly       bool
	knownHosts           []string // nil for the usual ones
}

// unsupported are the settings that change how a host is reached or whom it takes us for, and that
// only OpenSSH can honour. Without them another host, or another account, would answer.
func unsupported() []string {
	return []string{
		"ProxyJump", "ProxyCommand", "CertificateFile", "IdentityAgent", "PKCS11Provider", "SecurityKeyProvider",
		"BindAddress", "BindInterface", "CanonicalizeHostname", "KnownHostsCommand", "AddressFamily", "HostKeyAlgorithms",
		"PubkeyAcceptedAlgorithms", "PubkeyAcceptedKeyTypes", "Ciphers", "KexAlgorithms", "MACs", "RemoteCommand",
		"RevokedHostKeys", "PreferredAuthentications",
	}
}

const maxSSHConfig = 1 << 20 // bytes

// configFiles are the user's and the system's ssh_config. As in OpenSSH the home folder is that of
// the user and not $HOME.
func configFiles(home string) []string {
	if home == "" {
		return []string{"/etc/ssh/ssh_config"}
	}
	return []string{filepath.Join(home, ".ssh", "config"), "/etc/ssh/ssh_config"}
}

func readSettings(host Host) (settings, error) {
	home := homeFolder()
	return settingsFrom(host, home, configFiles(home))
}

// homeFolder is "" where there is none, as in a container with nothing but mirror in it.
func homeFolder() string {
	if me, err := user.Current(); err == nil && me.HomeDir != "" {
		return me.HomeDir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return home
}

func settingsFrom(host Host, home string, paths []string) (settings, error) {
	var all configs
	for _, path := range paths {
		text, err := regular.ReadFile(path, maxSSHConfig)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return settings{}, err
		}
		c, err := sshconfig.DecodeBytes(bytes.TrimSpace(text))
		if err != nil {
			return settings{}, refusal(path, err.Error())
		}
		all = append(all, file{path, c})
	}
	for _, key := range unsupported() {
		value, path, err := all.first(host.Name, key)
		if err != nil {
			return settings{}, err
		}
		if value != "" && !strings.EqualFold(value, "none") && !strings.EqualFold(value, "no") && !strings.EqualFold(value, "any") {
			return settings{}, refusal(path, key+" is set for "+host.Name)
		}
	}
	return all.settings(host, home)
}

func refusal(path, what string) error {
	return fmt.Errorf("%s: %s, which cannot be honoured without the program ssh (hint: install openssh-client)", path, what)
}

type file struct {
	path   string
	config *sshconfig.Config
}

type configs []file

// first is the first value of a setting, as in ssh_config(5), and the file that has it.
func (cs configs) first(host, key string) (value, path string, err error) {
	for _, c := range cs {
		if value, err = c.config.Get(host, key); err != nil {
			return "", c.path, refusal(c.path, err.Error())
		}
		if value != "" {
			return unquote(value), c.path, nil
		}
	}
	return "", "", nil
}

func (cs configs) settings(host Host, home string) (s settings, err error) {
	texts := map[string]string{}
	for _, key := range []string{"HostName", "Port", "User", "HostKeyAlias", "IdentitiesOnly", "UserKnownHostsFile"} {
		if texts[key], _, err = cs.first(host.Name, key); err != nil {
			return s, err
		}
	}
	s = settings{
		hostName: host.Name, port: texts["Port"], user: texts["User"], hostKeyAlias: texts["HostKeyAlias"],
		identitiesOnly: strings.EqualFold(texts["IdentitiesOnly"], "yes"),
	}
	if texts["HostName"] != "" {
		s.hostName = strings.ReplaceAll(texts["HostName"], "%h", host.Name)
	}
	expand := func(path string) (string, error) { return expandTokens(path, home, host, s) }
	if files := texts["UserKnownHostsFile"]; files != "" {
		for _, path := range strings.Fields(files) {
			if path, err = expand(path); err != nil {
				return s, err
			}
			s.knownHosts = append(s.knownHosts, path)
		}
	}
	s.identityFiles, err = cs.identities(host.Name, home, expand)
	return s, err
}

// identities lists the files of private keys, in all of the settings, or else the usual ones.
func (cs configs) identities(host, home string, expand func(string) (string, error)) ([]string, error) {
	var files []string
	for _, c := range cs {
		more, err := c.config.GetAll(host, "IdentityFile")
		if err != nil {
			return nil, refusal(c.path, err.Error())
		}
		files = append(files, more...)
	}
	if len(files) == 0 && home != "" {
		files = []string{"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519"}
	}
	for i, path := range files {
		var err error
		if files[i], err = expand(unquote(path)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func unquote(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// expandTokens expands ~ and the tokens of ssh_config(5) that need no connection.
func expandTokens(path, home string, host Host, s settings) (string, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		path = filepath.Join(home, rest)
	}
	local, remote := "", s.user
	if me, err := user.Current(); err == nil {
		local = me.Username
	}
	if host.User != "" {
		remote = host.User
	}
	var out strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' || i+1 == len(path) {
			out.WriteByte(path[i])
			continue
		}
		i++
		value, known := map[byte]string{'%': "%", 'd': home, 'h': s.hostName, 'n': host.Name, 'u': local, 'r': remote, 'p': s.port}[path[i]]
		if !known {
			return "", refusal(path, "the token %"+string(path[i]))
		}
		out.WriteString(value)
	}
	return out.String(), nil
}
