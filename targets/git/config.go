package git

import (
	"fmt"
	"net/mail"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Config is a git target's part of the config.
type Config struct {
	URL        string `yaml:"url"`         // ssh, https, http, file, a path, or user@host:path
	Branch     string `yaml:"branch"`      // gh-pages by default
	CNAME      string `yaml:"cname"`       // written to the branch where the site has no CNAME
	TokenEnv   string `yaml:"token_env"`   // environment variable with the access token, for https
	Orphan     bool   `yaml:"orphan"`      // commits without parents: the branch keeps no history
	Author     string `yaml:"author"`      // Name <address>, of the commits
	SSHKey     string `yaml:"ssh_key"`     // file of the private key; else the agent and ~/.ssh
	KnownHosts string `yaml:"known_hosts"` // file; else ~/.ssh/known_hosts and the system's
}

const (
	defaultBranch = "gh-pages"
	defaultAuthor = "mirror <mirror@localhost>"
)

func parseBranch(name string) (plumbing.ReferenceName, error) {
	if name == "" {
		name = defaultBranch
	}
	ref := plumbing.NewBranchReferenceName(strings.TrimPrefix(name, "refs/heads/"))
	if err := ref.Validate(); err != nil {
		return "", fmt.Errorf("branch %q is no name that git allows", name)
	}
	return ref, nil
}

func parseAuthor(author string) (mail.Address, error) {
	if author == "" {
		author = defaultAuthor
	}
	a, err := mail.ParseAddress(author)
	if err != nil || strings.ContainsAny(a.Name+a.Address, "<>\n\x00") {
		return mail.Address{}, fmt.Errorf("author %q: want Name <address>", author)
	}
	if a.Name == "" {
		a.Name = a.Address
	}
	return *a, nil
}
