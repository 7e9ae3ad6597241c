package main

import (
	"fmt"
	"io"

	"mirror/internal/config"
	"mirror/internal/secrets"
)

// learn makes known the secrets of a config, and those that the kinds of target in it take
// from files: a build, which runs before any target is opened, may print them.
func (a *app) learn(c *config.Config) {
	for _, s := range c.Secrets {
		switch s.Form {
		case config.Whole:
			a.secrets.Add(s.Source, s.Value)
		case config.Service:
			a.secrets.AddURL(s.Source, s.Value)
		case config.Userinfo:
			a.secrets.AddUserinfo(s.Source, s.Value)
		}
	}
	for _, t := range c.Targets {
		if kind, _ := a.kinds.Find(t.Type); kind.StoredSecrets != nil {
			kind.StoredSecrets(a.getenv, a.secrets.Add)
		}
	}
	a.sayWeak()
}

// sayWeak says once which secrets are too short or too common to be kept out of what is shown.
func (a *app) sayWeak() {
	for _, source := range a.secrets.Weak() {
		if a.quiet || a.weakSaid[source] {
			continue
		}
		if a.weakSaid == nil {
			a.weakSaid = map[string]bool{}
		}
		a.weakSaid[source] = true
		fmt.Fprintf(a.stderr, "note     the secret in %s is too short or too common to be hidden in what is shown (hint: use at least %d characters)\n",
			source, 8)
	}
}

// unwrapped is the stream behind a scrubbed one, for whoever draws on a terminal and scrubs
// what it draws.
func unwrapped(stream io.Writer) io.Writer {
	if scrubbed, ok := stream.(*secrets.Writer); ok {
		return scrubbed.Unwrap()
	}
	return stream
}
