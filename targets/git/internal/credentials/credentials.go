// Package credentials finds the user name and the password for a git server over HTTP where git
// finds them: in a netrc file, and with the credential helpers of git's settings. What a helper gave
// is confirmed to it when the server has taken it, and rejected when it has not.
//
// Nothing is ever asked for at a terminal.
package credentials

import (
	"context"
	"net/url"
	"os"
	"strings"

	"mirror/targets/git/internal/gitconfig"
)

// Login is a user name and a password or token.
type Login struct{ User, Password string }

// Empty reports whether there is nothing to send.
func (l Login) Empty() bool { return l.User == "" && l.Password == "" }

// Options say where to look.
type Options struct {
	Getenv func(string) string
	Git    *gitconfig.Config
	// Secret is told of each password before it is used. It may be nil.
	Secret func(source, value string)
}

// Source gives the logins for one address, one after the other as the server refuses them. It is not
// safe for concurrent use.
type Source struct {
	address   *url.URL // with the user name, where the config has one
	options   Options
	tried     int
	given     *helped // by a helper
	confirmed bool
}

// NewSource returns a source for an address.
func NewSource(address *url.URL, o Options) *Source {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Git == nil {
		o.Git = &gitconfig.Config{}
	}
	if o.Secret == nil {
		o.Secret = func(string, string) {}
	}
	return &Source{address: address, options: o}
}

// Next returns the next login to try after the server has refused the one before, false when there
// is none left; then, and after Confirm, it begins anew. The error says what went wrong where there
// would have been one.
func (s *Source) Next(ctx context.Context) (l Login, found bool, err error) {
	s.reject(ctx)
	for s.tried < 2 {
		switch s.tried++; s.tried {
		case 1:
			l, found, err = fromNetrc(s.address, s.options.Getenv)
			if found {
				s.options.Secret("netrc", l.Password)
			}
		case 2:
			l, found, err = s.fromHelper(ctx)
		}
		if found {
			return l, true, nil
		}
	}
	s.tried = 0
	return Login{}, false, err
}

func (s *Source) fromHelper(ctx context.Context) (Login, bool, error) {
	h, err := ask(ctx, s.address, s.options)
	if err != nil || h == nil {
		return Login{}, false, err
	}
	s.options.Secret("git's credential helper", h.login.Password)
	for _, more := range h.secrets {
		s.options.Secret("git's credential helper", more)
	}
	s.given, s.confirmed = h, false
	return h.login, true, nil
}

// Confirm says that the server has taken the login; the first time a helper is told.
func (s *Source) Confirm(ctx context.Context) {
	s.tried = 0
	if s.given != nil && !s.confirmed {
		s.given.tell(ctx, "approve", "store")
		s.confirmed = true
	}
}

func (s *Source) reject(ctx context.Context) {
	if s.given != nil {
		s.given.tell(ctx, "reject", "erase")
		s.given = nil
	}
}

// Headers are the headers that git's settings add to each request to an address.
func Headers(address *url.URL, o Options) map[string][]string {
	if o.Git == nil {
		return nil
	}
	headers := map[string][]string{}
	for _, line := range o.Git.For("http", "extraHeader", address) {
		name, value, found := strings.Cut(line, ":")
		switch {
		case line == "": // clears what came before
			clear(headers)
		case found && validHeader(name, value):
			headers[name] = append(headers[name], strings.TrimSpace(value))
			if strings.EqualFold(name, "Authorization") && o.Secret != nil {
				_, token, _ := strings.Cut(strings.TrimSpace(value), " ")
				o.Secret("http.extraHeader", token)
			}
		}
	}
	return headers
}

func validHeader(name, value string) bool {
	return name != "" && !strings.ContainsAny(name, " \t\r\n") && !strings.ContainsAny(value, "\r\n\x00")
}
