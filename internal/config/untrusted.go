package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mirror/internal/config/strictyaml"
	"mirror/targets"
)

// Untrusted limits what a config may make the program do that someone else has written, such as that of a pull
// request: it runs no command, takes nothing from the environment, connects to no host and uses no
// file outside its own folder, but for what is allowed here.
type Untrusted struct {
	On      bool     // whether the config is one that is not trusted
	Env     []string // names of environment variables
	Origins []string // URLs, of which scheme, host and port count; or hosts, which are reached by https or ssh
}

// Validate refuses an origin that is neither a URL nor a host.
func (u *Untrusted) Validate() error {
	if u == nil {
		return nil
	}
	if !u.On && len(u.Env)+len(u.Origins) > 0 {
		return errors.New("--allow-env and --allow-origin are for --untrusted (hint: add it)")
	}
	for _, name := range u.Env {
		if !strictyaml.IsEnvName(name) {
			return fmt.Errorf("--allow-env %s: is not the name of an environment variable", name)
		}
	}
	for _, text := range u.Origins {
		if _, err := peerOf(text); err != nil {
			return fmt.Errorf("--allow-origin %s: is neither a URL nor a host (hint: https://blog.example.com)", strictyaml.Masked(text))
		}
	}
	return nil
}

// refusedVariable returns what says why a variable may not be named; nil where any may.
func (u *Untrusted) refusedVariable() func(name string) string {
	if u == nil || !u.On {
		return nil
	}
	return func(name string) string {
		if slices.Contains(u.Env, name) {
			return ""
		}
		return "is not allowed in a config that is not trusted (hint: --allow-env " + name + ", where the config may send it to the hosts that it names)"
	}
}

// validate notes what a config uses that it was not allowed to.
func (u *Untrusted) validate(d *strictyaml.Decoder, c *Config, kinds targets.Kinds) {
	if u == nil || !u.On {
		return
	}
	refuse := func(pointer any, key, why string) {
		if at := d.Place(pointer); at != nil {
			d.Errorf(at, "%s: %s %s", key, d.Describe(at), why)
		}
	}
	if c.Site.Build != "" {
		refuse(&c.Site.Build, "build", isCommand)
	}
	if log := c.Front.AccessLog; log != "" && log != "-" {
		refuse(&c.Front.AccessLog, "access_log", "is a file that is written to, which a config that is not trusted may not name")
	}
	for _, file := range []*string{&c.Front.TLS.Cert, &c.Front.TLS.Key} {
		if why := u.wrongFile(c, *file); *file != "" && why != "" {
			refuse(file, "tls", why)
		}
	}
	if why := u.wrongFile(c, c.Site.Dir); why != "" && filepath.Clean(c.Site.Dir) != filepath.Dir(c.File) {
		refuse(&c.Site.Dir, "dir", why)
	}
	for i := range c.Targets {
		u.validateTarget(c, &c.Targets[i], kinds)
	}
	for i := range c.Origins {
		o := &c.Origins[i].Origin
		if why := u.wrongOrigin(*o); why != "" {
			refuse(&o.URL, "url", why)
		}
		if why := u.wrongAddress(*o); why != "" {
			refuse(&o.Address, "address", why)
		}
	}
	if len(c.Hooks.AfterPublish) > 0 {
		refuse(&c.Hooks.AfterPublish[0], "after_publish", isCommand)
	}
	u.validatePurges(d, c)
	for i := range c.Notify {
		if why := u.wrongPeer(c.Notify[i].URL); why != "" {
			if at := d.Place(&c.Notify[i].URL); at != nil {
				d.Errorf(at, "url: %s %s", redacted(d, at), why)
			}
		}
	}
}

const isCommand = "is a command, which a config that is not trusted may not run"

// validateTarget notes what a target uses.
func (u *Untrusted) validateTarget(c *Config, t *Target, kinds targets.Kinds) {
	if why := u.wrongOrigin(t.Origin); why != "" {
		t.wrong("origin.url", why)
	}
	if why := u.wrongAddress(t.Origin); why != "" {
		t.wrong("origin.address", why)
	}
	kind, ok := kinds.Find(t.Type)
	if !ok {
		return
	}
	if _, ok := kind.Config.(targets.Accessor); !ok {
		t.wrong("type", "cannot be used in a config that is not trusted")
		return
	}
	own := fresh(kind.Config).(targets.Accessor)
	if t.Decode(own) != nil {
		return // noted already
	}
	for _, a := range own.Access() {
		if why := u.wrongAccess(c, a); why != "" {
			t.wrong(a.Key, why)
		}
	}
}

func (u *Untrusted) wrongOrigin(o Origin) string {
	if o.URL == nil {
		return ""
	}
	return u.wrongPeer(o.URL.String())
}

// wrongAddress judges the address under which an origin is looked at: an IP address or a name, with or without
// a port.
func (u *Untrusted) wrongAddress(o Origin) string {
	if o.Address == "" || o.URL == nil {
		return ""
	}
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil {
		host, port = strings.Trim(o.Address, "[]"), cmp.Or(o.URL.Port(), usualPorts[o.URL.Scheme])
	}
	return u.wrongPeer(o.URL.Scheme + "://" + net.JoinHostPort(host, port))
}

func (u *Untrusted) wrongAccess(c *Config, a targets.Access) string {
	switch {
	case a.Command:
		return isCommand
	case a.File != "":
		return u.wrongFile(c, a.File)
	case a.Peer != "":
		return u.wrongPeer(a.Peer)
	}
	return ""
}

// wrongPeer says why a server may not be connected to, "" where it may.
func (u *Untrusted) wrongPeer(address string) string {
	peer, err := peerOf(address)
	if err == nil && slices.ContainsFunc(u.Origins, func(text string) bool { return peer.allowedBy(text) }) {
		return ""
	}
	return fmt.Sprintf("is on %s, which a config that is not trusted may not use (hint: --allow-origin %s)", peer, peer)
}

// peer is a server by scheme, host and port.
type peer struct{ scheme, host, port string }

// String is the peer as --allow-origin takes it.
func (p peer) String() string {
	host := p.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if p.port != usualPorts[p.scheme] && p.port != "" {
		host += ":" + p.port
	}
	return p.scheme + "://" + host
}

var usualPorts = map[string]string{"http": "80", "https": "443", "ssh": "22"}

// peerOf returns the server of a URL. A host without a scheme is reached by https.
func peerOf(text string) (peer, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return peer{}, fmt.Errorf("not a URL")
	}
	p := peer{strings.ToLower(u.Scheme), strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()}
	if p.port == "" {
		p.port = usualPorts[p.scheme]
	}
	return p, nil
}

// allowedBy reports whether text allows a server: its URL, or its host alone where it is reached by https or ssh
// at the usual port.
func (p peer) allowedBy(text string) bool {
	allowed, err := peerOf(text)
	if err != nil {
		return false
	}
	if !strings.Contains(text, "://") && p.scheme == "ssh" {
		allowed.scheme = "ssh"
		if allowed.port == "443" {
			allowed.port = "22"
		}
	}
	return p == allowed
}

// wrongFile says why a file may not be used, "" where it may: one below the config's own folder, with no link on the
// way, and outside .git.
func (u *Untrusted) wrongFile(c *Config, path string) string {
	home := filepath.Dir(c.File)
	rel, ok := Inside(home, path)
	if strings.HasPrefix(path, "~") || !ok {
		return "is not below the folder of the config, which a config that is not trusted may not leave"
	}
	at := home
	for name := range strings.SplitSeq(rel, "/") {
		at = filepath.Join(at, name)
		if info, err := os.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return "leads through a link, which a config that is not trusted may not use"
		}
		if strings.EqualFold(name, ".git") {
			return "is in .git, which a config that is not trusted may not use"
		}
	}
	return ""
}
