package workspace

import (
	"mirror/internal/config"
	"mirror/internal/secrets"
)

// learnSecrets makes known the secrets of a config, and those that the kinds of target in it take
// from files: a build, which runs before any target is opened, may print them. Those that are too
// short or too common to be hidden are named once.
func learnSecrets(o Options, c *config.Config) {
	for _, s := range c.Secrets {
		switch s.Form {
		case config.Whole:
			o.Secrets.Add(s.Source, s.Value)
		case config.Service:
			o.Secrets.AddURL(s.Source, s.Value)
		case config.Userinfo:
			o.Secrets.AddUserinfo(s.Source, s.Value)
		}
	}
	for _, t := range c.Targets {
		if kind, _ := o.Kinds.Find(t.Type); kind.StoredSecrets != nil {
			kind.StoredSecrets(o.Getenv, o.Secrets.Add)
		}
	}
	for _, source := range o.Secrets.NewlyWeak() {
		o.Events.Line("note     the secret in %s is too short or too common to be removed from the output (hint: use at least %d characters)",
			source, secrets.Enough)
	}
}
