package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"

	"mirror/targets/git/internal/gitconfig"
)

// Place is where a repository is.
type Place = transport.Endpoint

// Addresses are where a repository is fetched from and pushed to.
type Addresses struct{ Fetch, Push *Place }

// Locate reads an address as git does: url.<base>.insteadOf and pushInsteadOf of its settings count.
func Locate(address string, settings *gitconfig.Config) (Addresses, error) {
	if _, err := ParseURL(address); err != nil {
		return Addresses{}, fmt.Errorf("url: %w", err)
	}
	if settings == nil {
		settings = &gitconfig.Config{}
	}
	fetch, err := ParseURL(settings.Rewrite(address, false))
	if err != nil {
		return Addresses{}, fmt.Errorf("url, after url.<base>.insteadOf of git's settings: %w", err)
	}
	push, err := ParseURL(settings.Rewrite(address, true))
	if err != nil {
		return Addresses{}, fmt.Errorf("url, after url.<base>.pushInsteadOf of git's settings: %w", err)
	}
	return Addresses{fetch, push}, nil
}

// NewRemote returns the way to the repository. It connects to nothing.
func NewRemote(at Addresses, o Options) (Remote, error) {
	fetch, err := newRemote(at.Fetch, o)
	if err != nil || at.Fetch.String() == at.Push.String() {
		return fetch, err
	}
	push, err := newRemote(at.Push, o)
	return split{fetch, push}, err
}

func newRemote(place *Place, o Options) (Remote, error) {
	switch place.Protocol {
	case "http", "https":
		return newHTTPRemote(place, o)
	case "ssh":
		return newSSHRemote(place, o)
	case "file":
		return newLocalRemote(place.Path)
	}
	return nil, errProtocol // ParseURL has refused it
}

// split is a repository that is fetched from another address than it is pushed to.
type split struct{ fetch, push Remote }

func (s split) dial(ctx context.Context, service Service) (conversation, error) {
	if service == UploadPack {
		return s.fetch.dial(ctx, service)
	}
	return s.push.dial(ctx, service)
}

// Errors of ParseURL. None repeats the address, which may hold a password.
var (
	errAddress  = errors.New("is not an address that git knows (hint: https://…, ssh://…, user@host:path or a path)")
	errHelper   = errors.New("names a remote helper, which is not supported (hint: https://…, ssh://…, user@host:path or a path)")
	errProtocol = errors.New("has a protocol that cannot be pushed to (hint: https, ssh, file or a path)")
	errNoPath   = errors.New("names a host and no path of a repository (hint: git@github.com:me/me.github.io.git)")
	errDash     = errors.New("has a part that begins with a dash, which ssh or git would take for an option")
)

// remoteHelper is an address that git hands to a program: ext::sh -c …
var remoteHelper = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+.-]*::`)

// ParseURL reads every form of address that git knows. See "GIT URLS" in git-push(1). The error
// completes a sentence that begins with the address, and quotes nothing of it.
func ParseURL(address string) (*Place, error) {
	place, err := parse(address)
	if err == nil && place.Protocol == "ssh" && slices.ContainsFunc([]string{place.Host, place.User, place.Path}, hasDash) {
		return nil, errDash
	}
	return place, err
}

func hasDash(part string) bool { return strings.HasPrefix(part, "-") }

func parse(address string) (*Place, error) {
	if address == "" {
		return nil, errAddress
	}
	if remoteHelper.MatchString(address) {
		return nil, errHelper
	}
	if strings.ContainsAny(address, "\x00\r\n") {
		return nil, errAddress
	}
	if !strings.Contains(address, "://") {
		if host, path, ok := cutSCP(address); ok {
			return parseSCP(host, path)
		}
		return parsePath(address)
	}
	place, err := transport.NewEndpoint(address)
	if err != nil {
		return nil, errAddress
	}
	switch place.Protocol {
	case "http", "https":
	case "file":
		place.Host = ""
	case "ssh", "git+ssh", "ssh+git":
		place.Protocol = "ssh"
		if place.Path == "" || place.Path == "/" {
			return nil, errNoPath
		}
		if strings.HasPrefix(place.Path, "/~") { // the server's shell knows it without the slash
			place.Path = place.Path[1:]
		}
	default:
		return nil, errProtocol
	}
	return place, nil
}

// parsePath reads the path of a local repository.
func parsePath(path string) (*Place, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			path = filepath.Join(home, rest)
		}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, errAddress
	}
	return &Place{Protocol: "file", Path: path}, nil
}

// cutSCP cuts [user@]host:path at the colon, false for a local path: one with a slash before the
// first colon or, on Windows, with the letter of a drive.
func cutSCP(address string) (host, path string, ok bool) {
	at := strings.IndexByte(address, '@') + 1
	if strings.HasPrefix(address, "[") || strings.HasPrefix(address[at:], "[") {
		if host, path, ok = strings.Cut(address, "]:"); ok && !strings.Contains(host, "/") {
			return host + "]", path, true
		}
	}
	host, path, ok = strings.Cut(address, ":")
	if !ok || strings.Contains(host, "/") || runtime.GOOS == "windows" && len(host) == 1 {
		return "", "", false
	}
	return host, path, true
}

// parseSCP reads [user@]host, [user@][IPv6], and [user@][host:port], which git knows too.
func parseSCP(host, path string) (*Place, error) {
	p := &Place{Protocol: "ssh", Path: path}
	if strings.HasPrefix(host, "[") {
		host = strings.Trim(host, "[]") // the user may be inside
	}
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		p.User, host = host[:at], strings.Trim(host[at+1:], "[]")
	}
	p.Host = host
	if name, port, err := net.SplitHostPort(host); err == nil && strings.Count(host, ":") == 1 {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, errAddress
		}
		p.Host, p.Port = name, int(n)
	}
	if strings.Contains(p.Host, ":") {
		p.Host = "[" + p.Host + "]"
	}
	switch {
	case p.Host == "" || strings.ContainsAny(p.Host, " \t"):
		return nil, errAddress
	case path == "":
		return nil, errNoPath
	}
	return p, nil
}
