package git

import (
	"fmt"
	"slices"
	"sync"

	"mirror/targets"
	"mirror/targets/git/internal/wire"
)

// tokenOf is the access token that the config names, "" where it names none.
func tokenOf(env targets.Env, c Config) (string, error) {
	if c.TokenEnv == "" {
		return "", nil
	}
	if env.Getenv == nil || env.Getenv(c.TokenEnv) == "" {
		return "", fmt.Errorf("the environment variable %s, which token_env names, is empty", c.TokenEnv)
	}
	return env.Getenv(c.TokenEnv), nil
}

// secretList is what must never be shown, as far as it is known.
type secretList struct {
	tell func(source, value string) // of targets.Env; may be nil

	mu     sync.Mutex
	values []string
}

// newSecretList begins with the passwords in the addresses.
func newSecretList(tell func(source, value string), at wire.Addresses) *secretList {
	l := &secretList{tell: tell}
	for _, place := range []*wire.Place{at.Fetch, at.Push} {
		l.add("the URL of a git repository", place.Password)
	}
	return l
}

func (l *secretList) add(source, value string) {
	if value == "" {
		return
	}
	if l.tell != nil {
		l.tell(source, value)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.values, value) {
		l.values = append(l.values, value)
	}
}

func (l *secretList) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.values)
}
